import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets.formats.shapes.recognize import SHAPES, recognize


def user(content="Hi"):
    return {"role": "user", "content": content}


def call(name="c1", arguments="{}", **changes):
    return {"id": name, "type": "function", "function": {"name": "look_up", "arguments": arguments}} | changes


def calling(*calls):
    return {"role": "assistant", "content": None, "tool_calls": list(calls)}


def answer(name="c1"):
    return {"role": "tool", "tool_call_id": name, "content": "42"}


def chat(*messages, **more):
    return {"messages": list(messages), **more}


GOOD = [
    ("openai-chat", chat({"role": "system", "content": "Be kind."}, user(), {"role": "assistant", "content": "Hello"})),
    ("openai-chat", chat(user(), calling(call("a"), call("b")), answer("b"), answer("a"), user("Thanks"))),
    ("openai-chat", chat(user(), calling(call(arguments='{"city": "Riga"}')))),
    (
        "openai-chat",
        chat(user([{"type": "text", "text": "What is this?"}, {"type": "image_url", "image_url": {"url": "x:y"}}])),
    ),
    ("openai-chat", chat(user(), {"role": "assistant", "content": "Hi", "tool_calls": None})),
    ("openai-chat", chat(user(), tools=[{"type": "function", "function": {"name": "look_up", "parameters": {}}}])),
    ("prompt-completion", {"prompt": "1 + 1 =", "completion": " 2", "source": "school"}),
    ("prompt-completion", {"prompt": [user()], "completion": [{"role": "assistant", "content": "Hello"}]}),
    ("instruction", {"instruction": "Translate", "input": "", "output": "Sveiki"}),
    ("instruction", {"instruction": "Say hello", "output": ""}),
    ("preference", {"prompt": "Q", "chosen": "A", "rejected": "B"}),
    ("preference", {"chosen": "A", "rejected": "B"}),
    ("preference", {"prompt": [user()], "chosen": [user("A")], "rejected": [user("B")]}),
    ("sharegpt", {"conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"}]}),
]

BAD = [
    ("openai-chat", {}, "/messages", "shape-missing"),
    ("openai-chat", {"messages": "Hi"}, "/messages", "shape-type"),
    ("openai-chat", chat(), "/messages", "shape-empty"),
    ("openai-chat", chat(user(), "Hi"), "/messages/1", "shape-type"),
    ("openai-chat", chat({"role": "narrator", "content": "x"}), "/messages/0/role", "shape-role"),
    ("openai-chat", chat({"role": ["user"], "content": "x"}), "/messages/0/role", "shape-role"),
    ("openai-chat", chat({"role": "user"}), "/messages/0/content", "shape-content"),
    ("openai-chat", chat(user(7)), "/messages/0/content", "shape-type"),
    ("openai-chat", chat(user([])), "/messages/0/content", "shape-empty"),
    ("openai-chat", chat(user([{"type": "smell"}])), "/messages/0/content/0/type", "shape-content-part"),
    ("openai-chat", chat(user([{"type": "text", "text": 1}])), "/messages/0/content/0/text", "shape-content-part"),
    (
        "openai-chat",
        chat(user([{"type": "image_url", "image_url": {}}])),
        "/messages/0/content/0/image_url/url",
        "shape-missing",
    ),
    ("openai-chat", chat(user() | {"tool_calls": [call()]}), "/messages/0/tool_calls", "shape-tool-calls"),
    ("openai-chat", chat(user(), calling()), "/messages/1/tool_calls", "shape-empty"),
    (
        "openai-chat",
        chat(user(), calling(call(arguments="{broken"))),
        "/messages/1/tool_calls/0/function/arguments",
        "shape-arguments",
    ),
    (
        "openai-chat",
        chat(user(), calling(call(arguments={}))),
        "/messages/1/tool_calls/0/function/arguments",
        "shape-arguments",
    ),
    (
        "openai-chat",
        chat(user(), calling(call(arguments="[1]"))),
        "/messages/1/tool_calls/0/function/arguments",
        "shape-arguments",
    ),
    ("openai-chat", chat(user(), calling(call(function=1))), "/messages/1/tool_calls/0/function", "shape-tool-calls"),
    ("openai-chat", chat(user(), calling(call("a"), call("a"))), "/messages/1/tool_calls", "shape-tool-call-id"),
    ("openai-chat", chat(user(), calling(call("a")), answer("b")), "/messages/2/tool_call_id", "shape-tool-call-id"),
    (
        "openai-chat",
        chat(user(), calling(call("a")), answer("a"), answer("a")),
        "/messages/3/tool_call_id",
        "shape-tool-call-id",
    ),
    ("openai-chat", chat(user(), answer("a")), "/messages/1/tool_call_id", "shape-tool-call-id"),
    ("openai-chat", chat(user(), calling(call("a")), user()), "/messages/2", "shape-tool-call-open"),
    ("openai-chat", chat(user(), {"role": "tool", "content": "42"}), "/messages/1/tool_call_id", "shape-missing"),
    ("openai-chat", chat(user(), tools=[{"type": "function"}]), "/tools/0", "shape-tools"),
    ("prompt-completion", {"prompt": "x"}, "/completion", "shape-missing"),
    ("prompt-completion", {"prompt": [user()], "completion": "x"}, "/prompt", "shape-type"),
    ("instruction", {"instruction": "", "output": "x"}, "/instruction", "shape-empty"),
    ("instruction", {"instruction": "x", "input": 5, "output": "x"}, "/input", "shape-type"),
    ("preference", {"prompt": "Q", "chosen": "A"}, "/rejected", "shape-missing"),
    ("preference", {"prompt": "Q", "chosen": [user()], "rejected": [user()]}, "/prompt", "shape-type"),
    ("preference", {"chosen": [user(), {}], "rejected": [user()]}, "/chosen/1/role", "shape-role"),
    ("sharegpt", {"conversations": [{"from": "human", "value": None}]}, "/conversations/0/value", "shape-type"),
    ("sharegpt", {"conversations": [{"from": "me", "value": "x"}]}, "/conversations/0/from", "shape-role"),
    ("sharegpt", {"conversations": [{"from": "gpt", "value": "x"}], "system": 1}, "/system", "shape-type"),
]


@pytest.mark.parametrize(("shape", "record"), GOOD)
def test_a_record_of_the_shape_has_no_problem_and_is_recognized(shape, record):
    assert SHAPES[shape].problem_in(record) is None
    assert recognize([record]) == shape


@pytest.mark.parametrize(("shape", "record", "pointer", "reason"), BAD)
def test_a_record_that_breaks_the_shape_is_told_where_and_why(shape, record, pointer, reason):
    problem = SHAPES[shape].problem_in(record)
    assert (problem.pointer, problem.reason) == (pointer, reason)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@st.composite
def damaged_records(draw):
    """A good record with one value inside replaced by anything."""
    name, record = draw(st.sampled_from(GOOD))
    copy = orjson.loads(orjson.dumps(record))
    place = copy
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = draw(st.sampled_from(keys))
        if not (isinstance(place[key], dict | list) and place[key]) or draw(st.booleans()):
            place[key] = draw(json_values)
            return name, copy
        place = place[key]


@settings(max_examples=400, deadline=None)
@given(damaged_records())
def test_no_record_is_too_strange_to_be_judged(case):
    name, record = case
    problem = SHAPES[name].problem_in(record)
    assert problem is None or (problem.pointer.startswith("/") and problem.reason.startswith("shape-"))


def test_a_problem_names_members_of_the_shape_and_nothing_of_the_record():
    secret = "jane@example.com"
    record = chat(user(), {"role": secret, "content": secret, secret: secret})
    assert secret not in repr(SHAPES["openai-chat"].problem_in(record))


@pytest.mark.parametrize(
    ("records", "shape"),
    [
        ([], None),
        ([{"question": "?", "answer": "!"}] * 3, None),
        ([{"prompt": "", "completion": ""}] * 3 + [{"n": 1}] * 2, "prompt-completion"),
        ([{"prompt": "", "completion": ""}] * 2 + [{"n": 1}] * 2, None),
        ([{"prompt": "", "chosen": "", "rejected": ""}], "preference"),
    ],
)
def test_a_shape_is_recognized_by_most_of_the_records(records, shape):
    assert recognize(records) == shape
