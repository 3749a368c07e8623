//! What a hook was told, understood.
//!
//! Accepts: one JSON object. Emits: [`Heard`], and of what is an operation the call that the
//! supervisor decides on.
//! Promises: the last of several members of one name is the one, as in the clients; an input that
//! cannot be understood is an error, never an allow.

use std::collections::HashMap;

use defenter_mcp::{hook::McpName, read};
use serde_json::value::RawValue;

use super::{
    Dialect, Hint, Stage,
    arguments::{self, quoted},
    destroys::destroys,
    event::{self, About},
    input,
    tools::{self, Does},
};

/// Why an input cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HookError {
    /// There is none.
    #[error("nothing was said on standard input; a hook is told what happens as a JSON object")]
    Empty,
    /// It ends in the middle.
    #[error("the input ends before its JSON object does")]
    Cut,
    /// It is something else.
    #[error("the input is no JSON object")]
    NotAnObject,
    /// It is larger than allowed.
    #[error("the input is over the limit of {} bytes", input::MAX_INPUT)]
    TooLarge,
    /// It is nested deeper than allowed.
    #[error("the input is nested too deeply")]
    TooDeep,
    /// It cannot be read.
    #[error("failed to read standard input: {0}")]
    Read(std::io::Error),
    /// It did not come in time.
    #[error("the input did not come within {0} s")]
    Slow(u64),
    /// It is not JSON.
    #[error("the input is not valid JSON (line {}, column {})", .0.line(), .0.column())]
    Json(serde_json::Error),
    /// No client speaks so.
    #[error("the input is not what a known client tells its hooks")]
    Unknown,
}

/// The members of the input, raw.
pub(super) struct Members<'a>(HashMap<String, &'a RawValue>);

/// What a hook was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Heard {
    /// How the client speaks.
    pub(crate) dialect: Dialect,
    /// The client's id.
    pub(crate) client: String,
    /// The event, as the client names it.
    pub(crate) event: String,
    /// When it comes.
    pub(crate) stage: Stage,
    /// The conversation; empty where the client does not say.
    pub(crate) session: String,
    /// Where the client works.
    pub(crate) cwd: Option<String>,
    /// Whether the client asks its user when it is told to.
    pub(crate) asks: bool,
    /// The command that starts the MCP server, where that is all that is said of it.
    pub(crate) command: Option<String>,
    /// What is to be decided on; none where it only tells of something.
    pub(crate) operation: Option<Operation>,
}

/// An operation in the words of MCP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Operation {
    /// The method that it is treated as.
    pub(crate) method: &'static str,
    /// The tool, the file, the prompt.
    pub(crate) target: String,
    /// The MCP server's name, where it is one's tool and its name is known.
    pub(crate) server: Option<String>,
    /// How the client names the MCP server.
    pub(crate) mcp: Option<McpName>,
    /// The params or the result, as JSON.
    pub(crate) payload: String,
    /// Whether it is a command that does what cannot be undone.
    pub(crate) destructive: bool,
}

impl<'a> Members<'a> {
    fn of(text: &'a str) -> Result<Self, HookError> {
        serde_json::from_str(text).map(Self).map_err(HookError::Json)
    }

    pub(super) fn contains_key(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    fn raw(&self, key: &str) -> Option<&'a str> {
        self.0.get(key).map(|value| value.get())
    }

    pub(super) fn string(&self, key: &str) -> Option<String> {
        Some(read::string(self.raw(key)?.as_bytes())?.into_owned())
    }

    fn first_string(&self, keys: &[&str]) -> Option<String> {
        keys.iter().find_map(|key| self.string(key))
    }

    fn first_raw(&self, keys: &[&str]) -> Option<&'a str> {
        keys.iter().find_map(|key| self.raw(key))
    }

    /// The first of a list of strings.
    fn first_of_list(&self, key: &str) -> Option<String> {
        let first = read::elements(self.raw(key)?.as_bytes()).next()?;
        Some(read::string(first)?.into_owned())
    }
}

impl Heard {
    /// Understands an input.
    ///
    /// # Errors
    /// [`HookError`] where it is no JSON object of a known client.
    pub(crate) fn of(input: &[u8], hint: Hint<'_>) -> Result<Self, HookError> {
        let text = std::str::from_utf8(input).map_err(|_| HookError::NotAnObject)?;
        let members = Members::of(text)?;
        let dialect = Dialect::of(&members, hint).ok_or(HookError::Unknown)?;
        let client = dialect.client(hint).to_owned();
        let event = event_of(dialect, &members, hint);
        let (stage, about) = event::meaning(&event);
        let cwd = cwd(&members);
        let given = Given::of((dialect, &client), about, &members, text);
        let operation = match stage {
            Stage::Before => given.before(about, cwd.as_deref()),
            Stage::After => Some(given.after(about, &members, text)),
            Stage::Tells => None,
        };
        // A client that was told not to ask does not ask.
        let quiet = members.string("permission_mode").is_some_and(|mode| {
            matches!(mode.as_str(), "bypassPermissions" | "dontAsk" | "yolo" | "auto")
        });
        // Cursor decides on files and prompts without asking.
        let can_ask = match dialect {
            Dialect::Cursor => matches!(about, About::Shell | About::Tool),
            _ => about == About::Tool,
        };
        Ok(Self {
            dialect,
            asks: stage == Stage::Before && can_ask && !quiet && dialect.asks(&client),
            client,
            event,
            stage,
            session: session(&members),
            cwd,
            command: members.string("command").filter(|_| about == About::Tool),
            operation,
        })
    }
}

fn session(members: &Members<'_>) -> String {
    let keys = ["session_id", "sessionId", "conversation_id", "trajectory_id", "taskId"];
    members.first_string(&keys).unwrap_or_default()
}

fn cwd(members: &Members<'_>) -> Option<String> {
    let inner = members.raw("tool_info").and_then(|info| {
        let (_, raw) = arguments::member(info, &["cwd"])?;
        Some(read::string(raw.as_bytes())?.into_owned())
    });
    let own = members.string("cwd").or(inner).filter(|cwd| !cwd.is_empty());
    let roots =
        || ["workspace_roots", "workspaceRoots"].iter().find_map(|key| members.first_of_list(key));
    own.or_else(roots)
}

fn event_of(dialect: Dialect, members: &Members<'_>, hint: Hint<'_>) -> String {
    let keys: &[&str] = match dialect {
        Dialect::Windsurf => &["agent_action_name"],
        Dialect::Cline => &["hookName"],
        Dialect::VsCode => &["hookEventName"],
        Dialect::Crush => &["event"],
        Dialect::Copilot => &["hookName"],
        _ => &["hook_event_name", "hookEventName", "eventName"],
    };
    if let Some(event) = members.first_string(keys) {
        return event;
    }
    let happened = ["toolResult", "toolResponse", "tool_response", "result"];
    match hint.event {
        Some(event) => event.to_owned(),
        None if happened.iter().any(|key| members.contains_key(key)) => "postToolUse".to_owned(),
        // A client that names no event asks before a tool.
        None => "preToolUse".to_owned(),
    }
}

/// The tool and what it is given, wherever the client puts them.
struct Given {
    tool: String,
    server: Option<String>,
    mcp: Option<McpName>,
    arguments: String,
}

impl Given {
    fn of(
        (dialect, client): (Dialect, &str),
        about: About,
        members: &Members<'_>,
        whole: &str,
    ) -> Self {
        let inner = match dialect {
            Dialect::Windsurf => members.raw("tool_info"),
            Dialect::Antigravity => members.raw("toolCall"),
            Dialect::Cline => members.first_raw(&["preToolUse", "postToolUse", "userPromptSubmit"]),
            _ => None,
        };
        let text = inner.unwrap_or(whole);
        let raw = |keys: &[&'static str]| arguments::member(text, keys).map(|(_, raw)| raw);
        let string = |keys: &[&'static str]| {
            let raw = raw(keys)?;
            Some(read::string(raw.as_bytes())?.into_owned())
        };
        let tool = string(&["mcp_tool_name", "tool_name", "toolName", "name"]).unwrap_or_default();
        let input = raw(&[
            "mcp_tool_arguments",
            "tool_input",
            "toolInput",
            "toolArgs",
            "parameters",
            "args",
            "input",
        ]);
        let input = match about {
            // These stand beside the event's own members.
            About::Shell | About::FileRead | About::FileEdit | About::Prompt => text,
            About::Tool | About::Nothing => input.unwrap_or(text),
        };
        let mut given = Self {
            tool,
            server: string(&["mcp_server_name"]),
            mcp: None,
            arguments: unwrapped(input),
        };
        if let Some(context) = members.raw("mcp_context") {
            given.name_from(context, &["server_name"], &["tool_name"]);
        }
        if let Some(server) = members.raw("mcp_server") {
            given.name_from(server, &["name"], &[]);
        }
        if given.tool == "use_mcp_tool" {
            let parameters = given.arguments.clone();
            given.name_from(&parameters, &["server_name"], &["tool_name"]);
            if let Some((_, inner)) = arguments::member(&parameters, &["arguments"]) {
                given.arguments = unwrapped(inner);
            }
        }
        given.split_name(dialect, client, about);
        given
    }

    fn name_from(&mut self, object: &str, server: &[&'static str], tool: &[&'static str]) {
        let string = |keys: &[&'static str]| {
            let (_, raw) = arguments::member(object, keys)?;
            Some(read::string(raw.as_bytes())?.into_owned())
        };
        self.server = string(server).or(self.server.take());
        if let Some(tool) = string(tool) {
            self.tool = tool;
        }
    }

    fn split_name(&mut self, dialect: Dialect, client: &str, about: About) {
        if let Some((server, tool)) = tools::split(&self.tool) {
            self.server.get_or_insert_with(|| server.to_owned());
            self.tool = tool.to_owned();
        }
        self.mcp = match &self.server {
            Some(server) => Some(McpName::Server(server.clone())),
            None if about == About::Tool => {
                let joined = tools::joined(dialect, client, &self.tool);
                joined.map(|joined| McpName::Joined(joined.to_owned()))
            }
            None => None,
        };
    }

    fn does(&self, about: About) -> Does {
        match about {
            About::Shell => Does::Shell,
            About::FileRead => Does::Read,
            About::FileEdit => Does::Edit,
            About::Tool if self.server.is_none() => {
                match tools::does(&self.tool) {
                    // One tool of several clients reads or writes as it is told.
                    Does::Edit if self.is_told_to_view() => Does::Read,
                    does => does,
                }
            }
            About::Tool | About::Prompt | About::Nothing => Does::Other,
        }
    }

    fn is_told_to_view(&self) -> bool {
        let command = arguments::member(&self.arguments, &["command"]);
        command.is_some_and(|(_, raw)| raw == r#""view""#)
    }

    fn before(self, about: About, cwd: Option<&str>) -> Option<Operation> {
        if about == About::Prompt {
            return Some(self.prompt());
        }
        let arguments = &self.arguments;
        let (tool, arguments) = match self.does(about) {
            Does::Keeps => return None,
            Does::Shell => return Some(self.shell(cwd)),
            Does::Edit => ("file_edit".to_owned(), arguments::edit(arguments, cwd)),
            Does::Read => match arguments::file(arguments, cwd) {
                Some(file) => return Some(self.read(file)),
                None => ("file_read".to_owned(), arguments.clone()),
            },
            Does::Other => (self.tool.clone(), arguments.clone()),
        };
        let payload = format!(r#"{{"name":{},"arguments":{arguments}}}"#, quoted(&tool));
        Some(self.with("tools/call", tool, payload))
    }

    fn shell(self, cwd: Option<&str>) -> Operation {
        let destructive = destroys(&arguments::command_line(&self.arguments));
        let given = arguments::shell(&self.arguments, cwd);
        let payload = format!(r#"{{"name":"shell","arguments":{given}}}"#);
        Operation { destructive, ..self.with("tools/call", "shell".to_owned(), payload) }
    }

    fn prompt(self) -> Operation {
        let text = arguments::member(&self.arguments, &["prompt", "user_prompt", "message"]);
        let text = text.map_or(self.arguments.as_str(), |(_, raw)| raw);
        let more = arguments::member(&self.arguments, &["attachments"]);
        let more = more.map(|(_, raw)| format!(r#","attachments":{raw}"#)).unwrap_or_default();
        let payload = format!(r#"{{"name":"prompt","arguments":{{"text":{text}{more}}}}}"#);
        self.with("prompts/get", "prompt".to_owned(), payload)
    }

    fn read(self, file: String) -> Operation {
        let content = arguments::member(&self.arguments, &["content"]);
        let content = content.map(|(_, raw)| format!(r#","content":{raw}"#)).unwrap_or_default();
        let payload = format!(r#"{{"uri":{}{content}}}"#, quoted(&file));
        self.with("resources/read", file, payload)
    }

    fn after(self, about: About, members: &Members<'_>, whole: &str) -> Operation {
        let result = members.first_raw(&[
            "tool_response",
            "tool_result",
            "tool_output",
            "toolResult",
            "toolResponse",
            "result_json",
            "output",
            "edits",
        ]);
        let tool = match self.does(about) {
            Does::Shell => "shell",
            Does::Read => "file_read",
            Does::Edit => "file_edit",
            Does::Keeps | Does::Other => &self.tool,
        };
        let (tool, payload) = (tool.to_owned(), result.unwrap_or(whole).to_owned());
        self.with("tools/call", tool, payload)
    }

    fn with(self, method: &'static str, target: String, payload: String) -> Operation {
        let (server, mcp) = (self.server, self.mcp);
        Operation { method, target, server, mcp, payload, destructive: false }
    }
}

/// The object in a string that holds one, as some clients send what a tool is given.
fn unwrapped(raw: &str) -> String {
    let inner = raw.starts_with('"').then(|| read::string(raw.as_bytes())).flatten();
    match inner {
        Some(inner)
            if input::is_shallow(&inner) && serde_json::from_str::<&RawValue>(&inner).is_ok() =>
        {
            inner.into_owned()
        }
        _ => raw.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn heard(input: &Value, hint: Hint<'_>) -> Heard {
        Heard::of(input.to_string().as_bytes(), hint).unwrap()
    }

    fn hint(client: &'static str) -> Hint<'static> {
        Hint { client: Some(client), event: None }
    }

    /// Dialect, client, method, target, server, payload.
    type Wanted = (Dialect, &'static str, &'static str, &'static str, Option<&'static str>, Value);

    #[track_caller]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "tests write what they want where they say it"
    )]
    fn check(input: &Value, hint: Hint<'_>, wanted: Wanted) {
        let heard = heard(input, hint);
        let operation = heard.operation.unwrap();
        let payload: Value = serde_json::from_str(&operation.payload).unwrap();
        let server = operation.server.as_deref();
        assert_eq!(
            (heard.dialect, &*heard.client, operation.method, &*operation.target, server, payload),
            wanted
        );
    }

    #[test]
    fn tools_of_mcp_servers_in_every_dialect() {
        let given = json!({"name": "echo", "arguments": {"message": "x"}});
        let args = json!({"message": "x"});
        let wanted = |dialect, client, server| {
            (dialect, client, "tools/call", "echo", server, given.clone())
        };
        let claude = json!({"session_id": "s", "cwd": "/w", "hook_event_name": "PreToolUse",
            "tool_name": "mcp__every__echo", "tool_input": args});
        check(&claude, Hint::default(), wanted(Dialect::Claude, "claude-code", Some("every")));
        check(&claude, hint("codex"), wanted(Dialect::Claude, "codex", Some("every")));
        check(&claude, hint("cursor"), wanted(Dialect::Claude, "claude-code", Some("every")));
        check(
            &json!({"session_id": "s", "hook_event_name": "PreToolUse", "tool_input": args,
                "tool_name": "mcp__my_every__echo", "mcp_server": {"name": "my every"}}),
            Hint::default(),
            wanted(Dialect::Claude, "claude-code", Some("my every")),
        );
        check(
            &json!({"hook_event_name": "BeforeTool", "tool_name": "mcp_every_echo",
                "tool_input": args, "mcp_context": {"server_name": "every", "tool_name": "echo"}}),
            Hint::default(),
            wanted(Dialect::Gemini, "gemini-cli", Some("every")),
        );
        check(
            &json!({"hookEventName": "PreToolUse", "sessionId": "s",
                "tool_name": "mcp__every__echo", "tool_input": args}),
            hint("claude-code"),
            wanted(Dialect::VsCode, "vscode", Some("every")),
        );
        check(
            &json!({"conversation_id": "c", "hook_event_name": "beforeMCPExecution",
                "tool_name": "echo", "tool_input": args.to_string(), "command": "npx x"}),
            Hint::default(),
            wanted(Dialect::Cursor, "cursor", None),
        );
        check(
            &json!({"agent_action_name": "pre_mcp_tool_use", "trajectory_id": "t", "tool_info":
                {"mcp_server_name": "every", "mcp_tool_name": "echo", "mcp_tool_arguments": args}}),
            Hint::default(),
            wanted(Dialect::Windsurf, "windsurf", Some("every")),
        );
        check(
            &json!({"hook_event_name": "preToolUse", "tool_name": "@every/echo",
                "tool_input": args}),
            hint("amazon-q"),
            wanted(Dialect::Claude, "amazon-q", Some("every")),
        );
        check(
            &json!({"hookName": "PreToolUse", "taskId": "t", "preToolUse": {
                "toolName": "use_mcp_tool", "parameters": {"server_name": "every",
                "tool_name": "echo", "arguments": args.to_string()}}}),
            Hint::default(),
            wanted(Dialect::Cline, "cline", Some("every")),
        );
        check(
            &json!({"toolCall": {"name": "echo", "args": args}}),
            Hint::default(),
            wanted(Dialect::Antigravity, "antigravity", None),
        );
        check(
            &json!({"event": "PreToolUse", "session_id": "s", "tool_name": "echo",
                "tool_input": args}),
            Hint::default(),
            wanted(Dialect::Crush, "crush", None),
        );
    }

    #[test]
    fn copilot_joins_server_and_tool_and_says_the_event_in_the_command_line() {
        let input = json!({"sessionId": "s", "timestamp": 1, "cwd": "/w",
            "toolName": "every-echo", "toolArgs": "{\"message\":\"x\"}"});
        let hint = |event| Hint { client: Some("copilot-cli"), event: Some(event) };
        let before = heard(&input, hint("preToolUse"));
        assert_eq!(
            (before.dialect, before.stage, before.asks),
            (Dialect::Copilot, Stage::Before, true)
        );
        let operation = before.operation.unwrap();
        assert_eq!(operation.mcp, Some(McpName::Joined("every-echo".into())));
        assert!(operation.payload.ends_with(r#""arguments":{"message":"x"}}"#));
        let after = heard(&input, hint("postToolUse"));
        assert_eq!((after.stage, after.asks), (Stage::After, false));
        let prompt = heard(&json!({"timestamp": 1, "prompt": "hi"}), hint("userPromptSubmitted"));
        assert_eq!(prompt.operation.unwrap().method, "prompts/get");
        let asked = json!({"hookName": "permissionRequest", "sessionId": "s",
            "toolName": "every/echo", "toolInput": {}});
        let asked = heard(&asked, hint("PermissionRequest"));
        assert_eq!((asked.dialect, asked.operation), (Dialect::Copilot, None));
    }

    #[test]
    fn commands_files_and_prompts() {
        let claude = |tool: &str, input: Value| {
            json!({"session_id": "s", "cwd": "/w", "hook_event_name": "PreToolUse",
                "tool_name": tool, "tool_input": input})
        };
        let own = |method, target, payload| {
            (Dialect::Claude, "claude-code", method, target, None, payload)
        };
        check(
            &claude("Bash", json!({"command": "ls", "description": "list"})),
            Hint::default(),
            own(
                "tools/call",
                "shell",
                json!({"name": "shell", "arguments": {"command": "ls", "cwd": "/w"}}),
            ),
        );
        check(
            &claude("Read", json!({"file_path": "/w/a"})),
            Hint::default(),
            own("resources/read", "/w/a", json!({"uri": "/w/a"})),
        );
        check(
            &claude("Write", json!({"file_path": "/w/a", "content": "x"})),
            Hint::default(),
            own(
                "tools/call",
                "file_edit",
                json!({"name": "file_edit", "arguments":
                {"file_path": "/w/a", "path": "/w/a", "content": ["x"]}}),
            ),
        );
        check(
            &claude("WebFetch", json!({"url": "https://a.example"})),
            Hint::default(),
            own(
                "tools/call",
                "WebFetch",
                json!({"name": "WebFetch", "arguments": {"url": "https://a.example"}}),
            ),
        );
        check(
            &json!({"session_id": "s", "hook_event_name": "UserPromptSubmit", "prompt": "hi"}),
            Hint::default(),
            own("prompts/get", "prompt", json!({"name": "prompt", "arguments": {"text": "hi"}})),
        );
        let cursor = |event: &str, more: Value| {
            let mut all = json!({"conversation_id": "c", "cursor_version": "2",
                "hook_event_name": event, "workspace_roots": ["/w"]});
            all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            all
        };
        check(
            &cursor("beforeShellExecution", json!({"command": "ls", "cwd": ""})),
            Hint::default(),
            (
                Dialect::Cursor,
                "cursor",
                "tools/call",
                "shell",
                None,
                json!({"name": "shell", "arguments": {"command": "ls", "cwd": "/w"}}),
            ),
        );
        check(
            &cursor("beforeReadFile", json!({"file_path": "a", "content": "x"})),
            Hint::default(),
            (
                Dialect::Cursor,
                "cursor",
                "resources/read",
                "/w/a",
                None,
                json!({"uri": "/w/a", "content": "x"}),
            ),
        );
        let windsurf = |event: &str, info: Value| json!({"agent_action_name": event, "trajectory_id": "t", "tool_info": info});
        check(
            &windsurf("pre_run_command", json!({"command_line": "ls", "cwd": "/v"})),
            Hint::default(),
            (
                Dialect::Windsurf,
                "windsurf",
                "tools/call",
                "shell",
                None,
                json!({"name": "shell", "arguments": {"command": "ls", "cwd": "/v"}}),
            ),
        );
        check(
            &windsurf("pre_user_prompt", json!({"user_prompt": "hi"})),
            Hint::default(),
            (
                Dialect::Windsurf,
                "windsurf",
                "prompts/get",
                "prompt",
                None,
                json!({"name": "prompt", "arguments": {"text": "hi"}}),
            ),
        );
    }

    #[test]
    fn what_only_tells_is_no_operation() {
        for event in ["SessionStart", "Stop", "SessionEnd", "Notification", "BeforeModel"] {
            let heard =
                heard(&json!({"hook_event_name": event, "session_id": "s"}), Hint::default());
            assert_eq!((heard.stage, heard.asks, heard.operation), (Stage::Tells, false, None));
        }
        let todo = json!({"hook_event_name": "PreToolUse", "tool_name": "TodoWrite",
            "tool_input": {"todos": []}});
        assert_eq!(heard(&todo, Hint::default()).operation, None);
    }

    #[test]
    fn what_has_happened_is_inspected_as_a_result() {
        let heard = heard(
            &json!({"hook_event_name": "PostToolUse", "tool_name": "mcp__every__echo",
                "tool_input": {}, "tool_response": [{"type": "text", "text": "x"}]}),
            Hint::default(),
        );
        assert_eq!((heard.stage, heard.asks), (Stage::After, false));
        let operation = heard.operation.unwrap();
        assert_eq!(operation.payload, r#"[{"type":"text","text":"x"}]"#);
        assert_eq!(operation.mcp, Some(McpName::Server("every".into())));
    }

    #[test]
    fn a_client_that_does_not_ask_is_not_told_to() {
        let asks = |client: &'static str, mode: &str| {
            let input = json!({"hook_event_name": "PreToolUse", "tool_name": "Bash",
                "tool_input": {"command": "ls"}, "permission_mode": mode});
            heard(&input, hint(client)).asks
        };
        assert!(asks("claude-code", "default") && asks("qwen-code", "default"));
        for (client, mode) in [
            ("codex", "default"),
            ("kiro", "default"),
            ("claude-code", "bypassPermissions"),
            ("qwen-code", "yolo"),
        ] {
            assert!(!asks(client, mode), "{client} {mode}");
        }
    }

    #[test]
    fn what_is_not_understood_is_an_error() {
        for input in ["{}", r#"{"a":1}"#, r#"{"hook_event_name":1}"#, "{x}", "{\"a\":\"\\x\"}"] {
            assert!(Heard::of(input.as_bytes(), Hint::default()).is_err(), "{input}");
        }
        assert!(Heard::of(b"{\"a\":\"\xff\"}", Hint::default()).is_err());
    }

    #[test]
    fn the_last_of_twins_is_the_one_and_a_tool_without_arguments_is_inspected_whole() {
        let input = br#"{"hook_event_name":"Stop","hook_event_name":"PreToolUse","tool_name":"Bash","tool_input":{"command":"true","command":"cat x"}}"#;
        let operation = Heard::of(input, Hint::default()).unwrap().operation.unwrap();
        assert!(operation.payload.contains("cat x") && !operation.payload.contains("true"));
        let input = br#"{"hook_event_name":"PreToolUse","tool_name":"x","odd":{"path":"/y"}}"#;
        let operation = Heard::of(input, Hint::default()).unwrap().operation.unwrap();
        assert!(operation.payload.contains("/y"));
    }
}
