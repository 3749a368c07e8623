//! The program that shows a notification.
//!
//! - Owns: one helper process while a notification is being handed to the desktop.
//! - Accepts: a [`Notice`].
//! - Promises: title and text are arguments or variables of their own and never part of a script or
//!   of a command line for a shell; the helper and all that it has started is ended when its time is
//!   up.
//!
//! Linux and the BSDs: `notify-send`, which speaks to `org.freedesktop.Notifications`. macOS:
//! `osascript`, which hands its arguments to the script's `run` handler. Windows: PowerShell, which
//! takes both texts from its environment; a toast needs the id of a program that the Start menu
//! knows, and PowerShell's own is always there.

use std::{io, process::Stdio, time::Duration};

use defenter_mcp::process::{Exit, Life};
use tokio::{process::Command, time::timeout};

use super::Notice;

/// How long a helper may take to hand a notification over.
const PATIENCE: Duration = Duration::from_secs(10);

/// The helper of this system, as users know it.
pub(super) const PROGRAM: &str = if cfg!(target_os = "macos") {
    "osascript"
} else if cfg!(windows) {
    "powershell"
} else {
    "notify-send"
};

/// Why a notification was not shown.
#[derive(Debug, thiserror::Error)]
pub(super) enum ShowError {
    /// The helper could not be started.
    #[error("failed to start {PROGRAM}")]
    Start(#[source] io::Error),
    /// The helper said that it failed.
    #[error("{PROGRAM} ended with {0}")]
    Failed(Exit),
    /// The helper took too long.
    #[error("{PROGRAM} took longer than {} s", PATIENCE.as_secs())]
    Slow,
}

/// Shows a notification; returns when the desktop has it.
pub(super) async fn show(notice: &Notice) -> Result<(), ShowError> {
    run(command(notice), PATIENCE).await
}

async fn run(mut command: Command, patience: Duration) -> Result<(), ShowError> {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut helper = Life::start(&mut command).map_err(ShowError::Start)?;
    let exit = timeout(patience, helper.wait()).await.map_err(|_| ShowError::Slow)?;
    if exit.success() { Ok(()) } else { Err(ShowError::Failed(exit)) }
}

#[cfg(not(any(target_os = "macos", windows)))]
fn command(notice: &Notice) -> Command {
    let mut command = Command::new(PROGRAM);
    let urgency = if notice.urgent { "critical" } else { "normal" };
    command
        .args(["--app-name=Defenter", "--icon=security-medium", "--urgency", urgency, "--"])
        .args([&notice.title, &notice.body])
        // Without a locale it takes its arguments for ASCII and refuses our quotation marks.
        .env("LC_ALL", "C.UTF-8");
    #[cfg(target_os = "linux")]
    if let Some(bus) = bus() {
        command.env("DBUS_SESSION_BUS_ADDRESS", bus);
    }
    command
}

/// The user's message bus, for a supervisor that some client's shim has started with next to no
/// environment. systemd has it in the user's runtime folder.
#[cfg(target_os = "linux")]
fn bus() -> Option<String> {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    if is_set("DBUS_SESSION_BUS_ADDRESS") || is_set("XDG_RUNTIME_DIR") {
        return None;
    }
    let socket = format!("/run/user/{}/bus", rustix::process::getuid().as_raw());
    std::path::Path::new(&socket).exists().then(|| format!("unix:path={socket}"))
}

#[cfg(target_os = "macos")]
fn command(notice: &Notice) -> Command {
    let mut command = Command::new(PROGRAM);
    let script = [
        "on run texts",
        "display notification (item 2 of texts) with title (item 1 of texts)",
        "end run",
    ];
    for line in script {
        command.args(["-e", line]);
    }
    command.args(["--", &notice.title, &notice.body]);
    command
}

#[cfg(windows)]
fn command(notice: &Notice) -> Command {
    const SCRIPT: &str = "\
        $null = [Windows.UI.Notifications.ToastNotificationManager, Windows.UI.Notifications, ContentType = WindowsRuntime]; \
        $kind = [Windows.UI.Notifications.ToastTemplateType]::ToastText02; \
        $toast = [Windows.UI.Notifications.ToastNotificationManager]::GetTemplateContent($kind); \
        $texts = $toast.GetElementsByTagName('text'); \
        $null = $texts.Item(0).AppendChild($toast.CreateTextNode($env:DEFENTER_NOTICE_TITLE)); \
        $null = $texts.Item(1).AppendChild($toast.CreateTextNode($env:DEFENTER_NOTICE_BODY)); \
        $id = '{1AC14E77-02E7-4E5D-B744-2EB1AE5198B7}\\WindowsPowerShell\\v1.0\\powershell.exe'; \
        [Windows.UI.Notifications.ToastNotificationManager]::CreateToastNotifier($id).Show([Windows.UI.Notifications.ToastNotification]::new($toast))";
    let mut command = Command::new(PROGRAM);
    command
        .args(["-NoProfile", "-NonInteractive", "-WindowStyle", "Hidden", "-Command", SCRIPT])
        .env("DEFENTER_NOTICE_TITLE", &notice.title)
        .env("DEFENTER_NOTICE_BODY", &notice.body);
    command
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        command
    }

    fn outcome(script: &str, patience: Duration) -> Result<(), ShowError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(run(shell(script), patience))
    }

    #[test]
    fn a_helper_is_believed_by_its_exit_code_and_not_waited_for_for_ever() {
        assert!(outcome("exit 0", PATIENCE).is_ok());
        assert!(matches!(outcome("exit 3", PATIENCE), Err(ShowError::Failed(_))));
        let slow = outcome("sleep 600", Duration::from_millis(50));
        assert!(matches!(slow, Err(ShowError::Slow)));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let missing = runtime.block_on(run(Command::new("/nonexistent/notify"), PATIENCE));
        assert!(matches!(missing, Err(ShowError::Start(_))));
    }

    #[test]
    fn the_texts_are_arguments_of_their_own() {
        let notice = Notice {
            title: "--help; id".to_owned(),
            body: "$(id) \" do shell script \"id\"".to_owned(),
            urgent: true,
        };
        let command = command(&notice);
        let args: Vec<_> = command.as_std().get_args().filter_map(|arg| arg.to_str()).collect();
        let [.., end, title, body] = args[..] else { panic!("{args:?}") };
        assert_eq!([end, title, body], ["--", notice.title.as_str(), notice.body.as_str()]);
    }
}
