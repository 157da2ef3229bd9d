"""More formats and modes of uploads."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("datasets", "0010_lifecycle")]

    operations = [
        migrations.AlterField(
            model_name="ingest",
            name="format",
            field=models.CharField(
                choices=[
                    ("jsonl", "JSON lines"),
                    ("csv", "CSV"),
                    ("parquet", "Parquet"),
                    ("auto", "told by the file"),
                ],
                max_length=7,
            ),
        ),
        migrations.AlterField(
            model_name="ingest",
            name="mode",
            field=models.CharField(
                choices=[("append", "append"), ("replace", "replace"), ("upsert", "upsert")], max_length=7
            ),
        ),
        migrations.AddField(
            model_name="ingest",
            name="id_mode",
            field=models.CharField(
                choices=[("plain", "as in the file"), ("hash", "a keyed hash of it")], default="plain", max_length=5
            ),
        ),
        migrations.AddField(
            model_name="ingest",
            name="key",
            field=models.CharField(blank=True, default="", max_length=500),
        ),
        migrations.AddField(
            model_name="ingest",
            name="shape",
            field=models.CharField(
                choices=[
                    ("any", "any"),
                    ("auto", "told by the first records"),
                    ("openai-chat", "chat messages (OpenAI)"),
                    ("prompt-completion", "prompt and completion"),
                    ("instruction", "instruction, input, output (Alpaca)"),
                    ("preference", "preference pairs"),
                    ("sharegpt", "conversations (ShareGPT)"),
                ],
                default="any",
                max_length=17,
            ),
        ),
        migrations.AddField(
            model_name="ingest",
            name="recognized_format",
            field=models.CharField(blank=True, default="", max_length=7),
        ),
        migrations.AddField(
            model_name="ingest",
            name="recognized_shape",
            field=models.CharField(blank=True, default="", max_length=17),
        ),
    ]
