//! What the events of hooks mean.

/// When an event comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Before something: the answer decides.
    Before,
    /// After something.
    After,
    /// It tells of something that is no operation.
    Tells,
}

/// What an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum About {
    /// The user's prompt.
    Prompt,
    /// A tool, whose name says more.
    Tool,
    /// A command.
    Shell,
    /// A file that is read.
    FileRead,
    /// A file that is written.
    FileEdit,
    /// Nothing of ours.
    Nothing,
}

/// The meaning of an event's name, in any client's spelling.
pub(super) fn meaning(name: &str) -> (Stage, About) {
    use About::{FileEdit, FileRead, Nothing, Prompt, Shell, Tool};
    use Stage::{After, Before, Tells};
    match plain(name).as_str() {
        "pretooluse" | "beforetool" | "premcptoolcall" | "premcptooluse" | "beforemcpexecution" => {
            (Before, Tool)
        }
        "beforeshellexecution" | "preruncommand" => (Before, Shell),
        "beforereadfile" | "beforetabfileread" | "prereadcode" => (Before, FileRead),
        "prewritecode" => (Before, FileEdit),
        "userpromptsubmit"
        | "userpromptsubmitted"
        | "beforeagent"
        | "beforesubmitprompt"
        | "preuserprompt" => (Before, Prompt),
        "posttooluse" | "posttoolusefailure" | "aftertool" | "aftermcpexecution"
        | "postmcptooluse" => (After, Tool),
        "aftershellexecution" | "postruncommand" => (After, Shell),
        "postreadcode" => (After, FileRead),
        "afterfileedit" | "aftertabfileedit" | "postwritecode" => (After, FileEdit),
        _ => (Tells, Nothing),
    }
}

/// A name without its punctuation, in lower case.
pub(super) fn plain(name: &str) -> String {
    let letters = name.chars().filter(char::is_ascii_alphanumeric).take(64);
    letters.map(|c| c.to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_that_an_install_writes_is_known() {
        for system in defenter_config::hooks::systems() {
            for event in system.events {
                assert_ne!(meaning(event).0, Stage::Tells, "{} {event}", system.client);
            }
        }
    }

    #[test]
    fn what_begins_or_ends_is_only_told() {
        for event in ["SessionStart", "Stop", "SessionEnd", "BeforeModel", "PermissionRequest", ""]
        {
            assert_eq!(meaning(event), (Stage::Tells, About::Nothing), "{event}");
        }
    }
}
