"""A client on the Python SDK: carries out a plan against one server and tells what it saw.

usage: python client.py auto|legacy PLAN-AS-JSON COMMAND ARGS…
The plan: {"calls": [{name, arguments}], "resources": [uri], "prompts": [{name, arguments}]}.
The answer, one JSON object on stdout: everything that the SDK handed over, in order.
"""

import asyncio
import json
import os
import sys

from mcp import Client, MCPError, StdioServerParameters


def plain(value):
    """What the SDK handed over, as JSON has it."""
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json", by_alias=True)
    return value


async def main():
    mode, plan, command, *args = sys.argv[1:]
    plan = json.loads(plan)
    seen, progress = [], []

    async def step(name, action):
        """One step: what it gave, or how it failed."""
        try:
            seen.append({"step": name, "result": plain(await action)})
        except MCPError as error:
            seen.append({"step": name, "error": plain(error.error)})

    async def on_progress(done, total, message):
        progress.append([done, total, message])

    server = StdioServerParameters(command=command, args=args, env=dict(os.environ))
    async with Client(server, mode=mode) as client:
        seen.append(
            {
                "step": "connect",
                "version": client.protocol_version,
                "server": plain(client.server_info),
                "capabilities": plain(client.server_capabilities),
                "instructions": client.instructions,
            }
        )
        offers = client.server_capabilities
        if offers.tools:
            await step("tools", client.list_tools())
        if offers.resources:
            await step("resources", client.list_resources())
            await step("templates", client.list_resource_templates())
        if offers.prompts:
            await step("prompts", client.list_prompts())
        for call in plan.get("calls", []):
            name = call["name"]
            await step(
                f"call {name}",
                client.call_tool(name, call["arguments"], progress_callback=on_progress),
            )
        for uri in plan.get("resources", []):
            await step(uri, client.read_resource(uri))
        for prompt in plan.get("prompts", []):
            name = prompt["name"]
            await step(f"prompt {name}", client.get_prompt(name, prompt.get("arguments")))
    print(json.dumps({"seen": seen, "progress": progress}))


asyncio.run(main())
