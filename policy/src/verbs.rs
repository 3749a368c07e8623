//! What a tool does, read from the words of its name.
//!
//! Owns: the lists of verbs. Accepts: a tool's name. Emits: a [`ToolClass`].
//! Promises: linear, no allocation beyond one word; a name decides the same way in snake, kebab,
//! camel and dotted spelling.

use crate::facts::ToolClass;

/// Longest name that is looked at; the rest of a longer one is ignored.
const MAX_NAME: usize = 256;

/// Classifies a tool by the first word of its name that is a known verb; after `and`, `or` or
/// `then` the next verb counts too, and the most dangerous one holds.
///
/// `get_transfer_status` reads, `find_and_delete` destroys, `github_delete_repo` destroys,
/// `forcePush` destroys.
pub fn classify_tool(name: &str) -> ToolClass {
    let mut class = None;
    let mut open = true;
    let mut forced = false;
    words(name, |word| {
        if matches!(word, "and" | "or" | "then") {
            open = true;
            return;
        }
        forced |= matches!(word, "force" | "forced" | "permanently");
        if !open {
            return;
        }
        if let Some(found) = verb(word) {
            class = Some(class.map_or(found, |class| worse(class, found)));
            open = false;
        }
    });
    match class {
        Some(ToolClass::Read) => ToolClass::Read,
        Some(_) if forced => ToolClass::Destructive,
        Some(class) => class,
        None => ToolClass::Unknown,
    }
}

/// Calls `visit` with each word of a name, in lower case.
pub(crate) fn words(name: &str, mut visit: impl FnMut(&str)) {
    let mut word = String::with_capacity(24);
    let mut last = ' ';
    let mut chars = name.chars().take(MAX_NAME).peekable();
    while let Some(c) = chars.next() {
        let next_is_lower = chars.peek().is_some_and(|next| next.is_lowercase());
        let camel =
            c.is_uppercase() && (last.is_lowercase() || (last.is_uppercase() && next_is_lower));
        if (camel || !c.is_alphanumeric()) && !word.is_empty() {
            visit(&word);
            word.clear();
        }
        if c.is_alphanumeric() {
            word.extend(c.to_lowercase());
        }
        last = c;
    }
    if !word.is_empty() {
        visit(&word);
    }
}

fn worse(a: ToolClass, b: ToolClass) -> ToolClass {
    let rank = |class| match class {
        ToolClass::Unknown => 0,
        ToolClass::Read => 1,
        ToolClass::Write => 2,
        ToolClass::Egress => 3,
        ToolClass::Execute => 4,
        ToolClass::Destructive => 5,
    };
    if rank(b) > rank(a) { b } else { a }
}

fn verb(word: &str) -> Option<ToolClass> {
    Some(match word {
        "delete" | "del" | "remove" | "rm" | "rmdir" | "drop" | "destroy" | "purge" | "erase"
        | "wipe" | "truncate" | "unlink" | "prune" | "uninstall" | "terminate" | "kill"
        | "shutdown" | "reboot" | "reset" | "revoke" | "grant" | "transfer" | "pay"
        | "purchase" | "buy" | "charge" | "refund" | "withdraw" | "sell" | "overwrite"
        | "deactivate" | "trash" | "expunge" => ToolClass::Destructive,
        "execute" | "exec" | "run" | "eval" | "evaluate" | "shell" | "bash" | "sh" | "zsh"
        | "powershell" | "command" | "cmd" | "terminal" | "spawn" | "invoke" | "script"
        | "python" | "javascript" | "repl" => ToolClass::Execute,
        "send" | "post" | "publish" | "share" | "email" | "mail" | "tweet" | "reply"
        | "forward" | "push" | "fetch" | "http" | "request" | "download" | "upload" | "curl"
        | "wget" | "navigate" | "crawl" | "scrape" | "broadcast" | "invite" | "submit" | "dm"
        | "sms" | "webhook" | "deploy" => ToolClass::Egress,
        "write" | "create" | "update" | "upsert" | "edit" | "add" | "set" | "put" | "save"
        | "insert" | "append" | "modify" | "change" | "move" | "mv" | "rename" | "copy" | "cp"
        | "import" | "commit" | "merge" | "rebase" | "replace" | "patch" | "apply" | "assign"
        | "unassign" | "mark" | "tag" | "label" | "enable" | "disable" | "store" | "register"
        | "configure" | "start" | "stop" | "restart" | "stage" | "checkout" | "init" | "make"
        | "mkdir" | "touch" | "comment" | "close" | "reopen" | "schedule" | "book" | "cancel"
        | "archive" | "clear" | "install" | "fork" | "clone" | "upgrade" | "toggle"
        | "remember" | "memorize" | "type" | "click" | "press" | "drag" | "fill" | "format" => {
            ToolClass::Write
        }
        "get" | "list" | "ls" | "read" | "cat" | "search" | "find" | "grep" | "show" | "view"
        | "describe" | "query" | "lookup" | "count" | "check" | "inspect" | "status" | "stat"
        | "info" | "tree" | "diff" | "log" | "history" | "browse" | "resolve" | "validate"
        | "verify" | "preview" | "analyze" | "analyse" | "compare" | "summarize" | "whoami"
        | "echo" | "ping" | "help" | "poll" | "parse" | "convert" | "calculate" | "compute"
        | "explain" | "recall" | "retrieve" | "load" | "directory" | "glob" | "sum" | "print"
        | "test" | "time" | "detect" | "estimate" | "suggest" | "screenshot" | "snapshot" => {
            ToolClass::Read
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_classified_by_their_verb() {
        use ToolClass::{Destructive, Egress, Execute, Read, Unknown, Write};
        for (name, wanted) in [
            ("read_file", Read),
            ("list_directory", Read),
            ("get_transfer_status", Read),
            ("get-current-time", Read),
            ("list_removed_files", Read),
            ("directory_tree", Read),
            ("git_diff_staged", Read),
            ("echo", Read),
            ("get_hard_drives", Read),
            ("write_file", Write),
            ("create_entities", Write),
            ("git_commit", Write),
            ("add_observations", Write),
            ("deleteFile", Destructive),
            ("delete_entities", Destructive),
            ("github_delete_repo", Destructive),
            ("find_and_delete", Destructive),
            ("bulk-remove", Destructive),
            ("DropTable", Destructive),
            ("transferFunds", Destructive),
            ("payments.refund", Destructive),
            ("grant_role", Destructive),
            ("forcePush", Destructive),
            ("create_hard_link", Write),
            ("format_document", Write),
            ("RMDir", Destructive),
            ("execute_sql", Execute),
            ("runShell", Execute),
            ("send_email", Egress),
            ("fetch", Egress),
            ("browser_navigate", Egress),
            ("HTTPRequest", Egress),
            ("sequentialthinking", Unknown),
            ("", Unknown),
            ("…", Unknown),
        ] {
            assert_eq!(classify_tool(name), wanted, "{name}");
        }
    }

    #[test]
    fn words_split_every_spelling() {
        for name in ["delete_all_files", "delete-all-files", "deleteAllFiles", "Delete.All Files"] {
            let mut seen = Vec::new();
            words(name, |word| seen.push(word.to_owned()));
            assert_eq!(seen, ["delete", "all", "files"], "{name}");
        }
    }
}
