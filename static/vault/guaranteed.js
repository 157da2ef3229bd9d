// Analytics tables: charts drawn from the tables on the page, and a progress bar that moves. The page works without.
"use strict";

(() => {
  const FINAL = new Set(["completed", "failed", "cancelled"]);
  const COLORS = ["#d97706", "#2563eb"];

  const rowsOf = (table) =>
    [...table.tBodies[0].rows].map((row) => ({
      name: row.cells[0].textContent.trim(),
      values: [...row.cells].slice(1).map((cell) => Number(cell.textContent)),
    }));

  const draw = (canvas) => {
    const table = document.querySelector(`[data-table="${canvas.dataset.bars}"]`);
    const rows = rowsOf(table);
    const heads = [...table.tHead.rows[0].cells].slice(1).map((cell) => cell.textContent.trim());
    new window.Chart(canvas, {
      type: "bar",
      data: {
        labels: rows.map((row) => row.name),
        datasets: heads.map((label, index) => ({
          label,
          data: rows.map((row) => row.values[index]),
          backgroundColor: COLORS[heads.length === 1 ? 1 : index],
        })),
      },
      options: {
        animation: false,
        indexAxis: "y",
        maintainAspectRatio: false,
        plugins: { legend: { display: heads.length > 1 } },
        scales: { x: { beginAtZero: true } },
      },
    });
  };

  const watch = (box) => {
    const bar = box.querySelector("progress");
    const status = box.querySelector("[data-status]");
    const look = async () => {
      try {
        const answer = await fetch(box.dataset.url, { headers: { Accept: "application/json" } });
        if (answer.ok) {
          const said = await answer.json();
          if (FINAL.has(said.status)) {
            window.location.reload();
            return;
          }
          bar.value = said.progress.percent || 0;
          const read = Number(said.progress.read || 0).toLocaleString("en");
          status.textContent = `${said.progress.stage}: ${read} records read.`;
        }
      } finally {
        window.setTimeout(look, 1500);
      }
    };
    window.setTimeout(look, 800);
  };

  document.addEventListener("DOMContentLoaded", () => {
    if (window.Chart) document.querySelectorAll("canvas[data-bars]").forEach(draw);
    document.querySelectorAll("[data-table-progress]").forEach(watch);
  });
})();
