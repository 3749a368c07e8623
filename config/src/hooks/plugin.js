// Asks Defenter before a tool runs, and tells it what came of it. What Defenter refuses, and what it
// cannot be asked about, is not run.
import { spawn } from "node:child_process";

const PROGRAM_PATH = "PROGRAM";
const PATIENCE_MS = 60_000;
const MAX_REASON = 4096;

const ask = (event) =>
  new Promise((resolve, reject) => {
    const child = spawn(PROGRAM_PATH, ["hook", "CLIENT_ID"], {
      stdio: ["pipe", "ignore", "pipe"],
      timeout: PATIENCE_MS,
      killSignal: "SIGKILL",
      windowsHide: true,
    });
    let reason = "";
    child.stderr.setEncoding("utf8");
    child.stderr.on("data", (text) => {
      reason = (reason + text).slice(0, MAX_REASON);
    });
    child.on("error", (error) => reject(new Error(`Defenter cannot be asked: ${error.message}`)));
    child.on("close", (code) => {
      if (code === 0) resolve();
      else reject(new Error(reason.trim() || "Defenter did not answer, so this is not allowed"));
    });
    // It may answer before it has read everything.
    child.stdin.on("error", () => {});
    child.stdin.end(JSON.stringify(event));
  });

// Pictures and the like are left out: they hold no text to look at.
const text = (result) =>
  Array.isArray(result?.content)
    ? result.content.filter((part) => part?.type === "text")
    : (result?.output ?? "");

export const Defenter = async ({ directory }) => {
  const event = (name, input, args) => ({
    hook_event_name: name,
    session_id: input.sessionID,
    cwd: directory,
    tool_name: input.tool,
    tool_input: args ?? {},
  });
  return {
    "tool.execute.before": (input, output) => ask(event("PreToolUse", input, output?.args)),
    "tool.execute.after": (input, output) =>
      ask({ ...event("PostToolUse", input, input.args), tool_response: text(output) }),
  };
};
