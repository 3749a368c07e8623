//! The tools that agents bring along, by the names that clients give them.

use super::{Dialect, event::plain};

/// What a tool of the agent's own does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Does {
    /// Runs a command.
    Shell,
    /// Reads a file.
    Read,
    /// Writes a file.
    Edit,
    /// Keeps the agent's own books; touches nothing else.
    Keeps,
    /// Anything else.
    Other,
}

/// What a tool does, by its name in any client's spelling.
pub(super) fn does(name: &str) -> Does {
    match plain(name).as_str() {
        "bash" | "shell" | "sh" | "zsh" | "powershell" | "pwsh" | "cmd" | "terminal"
        | "execute" | "exec" | "executecommand" | "executebash" | "executecmd" | "execcommand"
        | "runcommand" | "runcommands" | "runshellcommand" | "runinterminal" | "runterminalcmd"
        | "runterminalcommand" | "localshell" | "localshellcall" | "shellcommand"
        | "unifiedexec" | "containerexec" | "launchprocess" | "writebash" | "writepowershell"
        | "writestdin" => Does::Shell,
        "read" | "readfile" | "readtextfile" | "readmediafile" | "readcode" | "readnotebook"
        | "notebookread" | "view" | "viewfile" | "viewcode" | "fsread" | "openfile" | "cat" => {
            Does::Read
        }
        "write"
        | "edit"
        | "multiedit"
        | "notebookedit"
        | "writefile"
        | "writetofile"
        | "create"
        | "createfile"
        | "editfile"
        | "editfiles"
        | "editnotebook"
        | "editnotebookfile"
        | "replace"
        | "replaceinfile"
        | "replacefilecontent"
        | "multireplacefilecontent"
        | "replacestringinfile"
        | "multireplacestringinfile"
        | "inserteditintofile"
        | "insertcontent"
        | "searchreplace"
        | "searchandreplace"
        | "strreplace"
        | "strreplaceeditor"
        | "strreplacebasededittool"
        | "applypatch"
        | "applydiff"
        | "fswrite"
        | "fsappend" => Does::Edit,
        "todo"
        | "todowrite"
        | "todoread"
        | "updatetodo"
        | "managetodolist"
        | "updateplan"
        | "enterplanmode"
        | "exitplanmode"
        | "planmoderespond"
        | "think"
        | "killshell"
        | "killbash"
        | "bashoutput"
        | "readbash"
        | "readpowershell"
        | "stopbash"
        | "stoppowershell"
        | "listbash"
        | "listpowershell"
        | "getterminaloutput"
        | "taskcreate"
        | "taskget"
        | "tasklist"
        | "taskoutput"
        | "taskstop"
        | "taskupdate"
        | "askuserquestion"
        | "askuser"
        | "askfollowupquestion"
        | "attemptcompletion"
        | "reportintent"
        | "toolsearch"
        | "structuredoutput" => Does::Keeps,
        _ => Does::Other,
    }
}

/// The server and the tool in `mcp__SERVER__TOOL`, `@SERVER/TOOL`.
pub(super) fn split(name: &str) -> Option<(&str, &str)> {
    let (server, tool) = match name.strip_prefix("mcp__") {
        Some(rest) => rest.split_once("__")?,
        None => name.strip_prefix('@')?.split_once('/')?,
    };
    (!server.is_empty() && !tool.is_empty()).then_some((server, tool))
}

/// A name that may be a server and a tool of it, joined with a character that both may hold; only
/// who knows the servers can tell.
pub(super) fn joined<'n>(dialect: Dialect, client: &str, name: &'n str) -> Option<&'n str> {
    let (name, joints): (_, &[char]) = match dialect {
        // `SERVER_TOOL`.
        Dialect::Claude if matches!(client, "opencode" | "kilo") => (name, &['_', '-']),
        // `SERVER-TOOL`, in permission requests `SERVER/TOOL`.
        Dialect::Copilot | Dialect::Claude => (name, &['-', '/']),
        // `mcp_SERVER_TOOL`.
        Dialect::Crush => (name.strip_prefix("mcp_")?, &['_']),
        _ => return None,
    };
    name.contains(joints).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clients_own_tools_are_known() {
        for (name, wanted) in [
            ("Bash", Does::Shell),
            ("run_shell_command", Does::Shell),
            ("local_shell", Does::Shell),
            ("Read", Does::Read),
            ("read_file", Does::Read),
            ("fs_write", Does::Edit),
            ("MultiEdit", Does::Edit),
            ("apply_patch", Does::Edit),
            ("TodoWrite", Does::Keeps),
            ("KillShell", Does::Keeps),
            ("WebFetch", Does::Other),
            ("Glob", Does::Other),
            ("", Does::Other),
        ] {
            assert_eq!(does(name), wanted, "{name}");
        }
    }

    #[test]
    fn names_that_may_be_joined_are_told() {
        let check = |dialect, client: &str, name, expected: Option<&str>| {
            assert_eq!(joined(dialect, client, name), expected, "{client} {name}");
        };
        check(Dialect::Claude, "opencode", "files_read", Some("files_read"));
        check(Dialect::Claude, "claude-code", "files_read", None);
        check(Dialect::Copilot, "copilot-cli", "files-read", Some("files-read"));
        check(Dialect::Crush, "crush", "mcp_files_read", Some("files_read"));
        check(Dialect::Crush, "crush", "multi_edit", None);
        check(Dialect::Gemini, "gemini-cli", "mcp_files_read", None);
    }

    #[test]
    fn servers_are_told_from_their_tools() {
        assert_eq!(split("mcp__files__read_file"), Some(("files", "read_file")));
        assert_eq!(split("mcp__my_files__a__b"), Some(("my_files", "a__b")));
        assert_eq!(split("@files/read"), Some(("files", "read")));
        for name in ["mcp__files", "mcp____x", "mcp__x__", "@files", "files/read", "Bash", ""] {
            assert_eq!(split(name), None, "{name}");
        }
    }
}
