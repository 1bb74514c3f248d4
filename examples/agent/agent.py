#!/usr/bin/env python3
"""A coding agent in a page: asks a model what to do next until it has nothing left to do. Standard library only.

Usage: agent.py TASK. It may write any file and run any command, because it runs in Decoy. The model is $MODEL.
"""

import json
import os
import subprocess
import sys
import urllib.request

MOST_TURNS = 40
TOOLS = [
    {
        "name": "run",
        "description": "Runs a shell command in the repository; its output and exit code come back.",
        "input_schema": {"type": "object", "properties": {"command": {"type": "string"}}, "required": ["command"]},
    },
    {
        "name": "write",
        "description": "Writes a file of the repository, in place of what is there.",
        "input_schema": {
            "type": "object",
            "properties": {"path": {"type": "string"}, "text": {"type": "string"}},
            "required": ["path", "text"],
        },
    },
]


def main(task: str) -> int:
    messages = [{"role": "user", "content": task}]
    for _ in range(MOST_TURNS):
        answer = ask(messages)
        messages.append({"role": "assistant", "content": answer["content"]})
        for block in answer["content"]:
            if block["type"] == "text":
                print(block["text"], flush=True)
        calls = [block for block in answer["content"] if block["type"] == "tool_use"]
        if not calls:
            return 0
        messages.append({"role": "user", "content": [use(call) for call in calls]})
    print(f"not done after {MOST_TURNS} turns", file=sys.stderr)
    return 1


def ask(messages: list) -> dict:
    body = {"model": os.environ.get("MODEL", "claude-sonnet-5"), "max_tokens": 8192, "tools": TOOLS, "messages": messages}
    request = urllib.request.Request(
        "https://api.anthropic.com/v1/messages",
        data=json.dumps(body).encode(),
        headers={
            "content-type": "application/json",
            "anthropic-version": "2023-06-01",
            "x-api-key": os.environ["ANTHROPIC_API_KEY"],
        },
    )
    with urllib.request.urlopen(request, timeout=300) as response:
        return json.load(response)


def use(call: dict) -> dict:
    try:
        content = {"run": run, "write": write}[call["name"]](**call["input"])
    except Exception as error:  # the model made a mistake, and is told
        content = f"{type(error).__name__}: {error}"
    return {"type": "tool_result", "tool_use_id": call["id"], "content": content}


def run(command: str) -> str:
    print(f"$ {command}", flush=True)
    # What a command prints goes to the model with the next request. Decoy refuses a placeholder there, so commands are not given it.
    env = {name: value for name, value in os.environ.items() if name != "ANTHROPIC_API_KEY"}
    end = subprocess.run(command, shell=True, env=env, capture_output=True, text=True, errors="replace", timeout=600)
    return f"{(end.stdout + end.stderr)[-20_000:]}\nexit code {end.returncode}"


def write(path: str, text: str) -> str:
    print(f"writes {path}", flush=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return "written"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
