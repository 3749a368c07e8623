// A client on the TypeScript SDK: carries out a plan against one server and tells what it saw.
// usage: node client.mjs PLAN-AS-JSON COMMAND ARGS…
// The plan: {"calls": [{name, arguments}], "resources": [uri], "prompts": [{name, arguments}]}.
// The answer, one JSON object on stdout: everything that the SDK handed over, in order.
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import {
  CreateMessageRequestSchema,
  ListRootsRequestSchema,
} from "@modelcontextprotocol/sdk/types.js";

const [planText, command, ...args] = process.argv.slice(2);
const plan = JSON.parse(planText);
const seen = [];
const progress = [];

const client = new Client(
  { name: "plan-ts", version: "1.0.0" },
  { capabilities: { roots: { listChanged: true }, sampling: {} } },
);
client.setRequestHandler(ListRootsRequestSchema, () => ({
  roots: [{ uri: "file:///tmp", name: "tmp" }],
}));
client.setRequestHandler(CreateMessageRequestSchema, () => ({
  model: "none",
  role: "assistant",
  content: { type: "text", text: "sampled" },
}));

// Everything this program does is one step: what it gave, or how it failed.
async function step(name, action) {
  try {
    seen.push({ step: name, result: await action() });
  } catch (error) {
    seen.push({ step: name, error: { code: error.code, message: error.message, data: error.data } });
  }
}

const transport = new StdioClientTransport({
  command,
  args,
  env: process.env,
  stderr: "ignore",
});
await client.connect(transport);
seen.push({
  step: "connect",
  server: client.getServerVersion(),
  capabilities: client.getServerCapabilities(),
  instructions: client.getInstructions(),
});
const offers = client.getServerCapabilities() ?? {};
await step("ping", () => client.ping());
if (offers.tools) await step("tools", () => client.listTools());
if (offers.resources) {
  await step("resources", () => client.listResources());
  await step("templates", () => client.listResourceTemplates());
}
if (offers.prompts) await step("prompts", () => client.listPrompts());
for (const call of plan.calls ?? []) {
  const options = { onprogress: (update) => progress.push(update) };
  await step(`call ${call.name}`, () => client.callTool(call, undefined, options));
}
for (const uri of plan.resources ?? []) await step(uri, () => client.readResource({ uri }));
for (const prompt of plan.prompts ?? []) {
  await step(`prompt ${prompt.name}`, () => client.getPrompt(prompt));
}
await client.close();
process.stdout.write(JSON.stringify({ seen, progress }) + "\n");
