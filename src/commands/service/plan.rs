//! The service of each system: a file, and what its manager is to be told.
//!
//! Accepts: a [`Machine`]. Emits: a [`Service`].
//! Promises: pure, so that all three systems are tested on any; a path with characters that the
//! file's format cannot hold is an error.
//!
//! Sources: systemd.unit(5), systemd.service(5), systemd.exec(5); launchd.plist(5), launchctl(1);
//! the Task Scheduler schema (MS-TSCH, section 2.5) and `schtasks`.

use std::fmt;

use defenter_config::Os;

/// The service's name for launchd.
const LABEL: &str = "ai.defenter";
/// The service's name for the Windows task scheduler.
const TASK: &str = "Defenter";
/// How long the supervisor may drain before it is killed, in seconds; it gives itself 30.
const STOP_S: u32 = 45;

/// What a service depends on.
#[derive(Clone, Debug)]
pub(super) struct Machine {
    /// The system.
    pub(super) os: Os,
    /// The user's home.
    pub(super) home: String,
    /// The program's absolute path.
    pub(super) program: String,
    /// `DEFENTER_HOME`, where it is set.
    pub(super) moved: Option<String>,
    /// Our folder for what belongs to a run.
    pub(super) run: String,
    /// The Unix user id.
    pub(super) uid: u32,
    /// The Windows user, with the domain.
    pub(super) user: Option<String>,
}

/// The service of one system.
#[derive(Clone, Debug)]
pub(super) struct Service {
    /// The program that manages services.
    pub(super) manager: &'static str,
    /// The file that describes it.
    pub(super) file: String,
    /// What is in the file, for reading.
    pub(super) text: String,
    /// What is in the file, byte for byte.
    pub(super) content: Vec<u8>,
    /// What to run once the file is there.
    pub(super) install: Vec<Step>,
    /// What to run then to start it at once, where that is not done yet.
    pub(super) start: Vec<Step>,
    /// What to run before the file is removed.
    pub(super) uninstall: Vec<Step>,
    /// What to run after it was removed.
    pub(super) forget: Vec<Step>,
    /// What to run to learn how it is.
    pub(super) query: Vec<Step>,
}

/// One command for the service manager.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) program: &'static str,
    pub(super) args: Vec<String>,
    /// Whether its failure is of no matter, such as stopping what does not run.
    pub(super) may_fail: bool,
}

/// Why there is no service.
#[derive(Debug, thiserror::Error)]
pub(super) enum PlanError {
    /// A path cannot be written into the file.
    #[error("the path {0:?} has characters that a service cannot be given; use another place")]
    Path(String),
    /// Nobody to start it for.
    #[error("USERNAME is not set, so the task has no user to run for")]
    NoUser,
}

/// The service for a machine.
pub(super) fn service(machine: &Machine) -> Result<Service, PlanError> {
    let paths =
        [Some(&machine.home), Some(&machine.program), machine.moved.as_ref(), Some(&machine.run)];
    for path in paths.into_iter().flatten() {
        if path.chars().any(|c| c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}')) {
            return Err(PlanError::Path(path.clone()));
        }
    }
    match machine.os {
        Os::Linux => Ok(systemd(machine)),
        Os::Macos => Ok(launchd(machine)),
        Os::Windows => task(machine),
    }
}

impl Step {
    fn new(program: &'static str, args: &[&str]) -> Self {
        let args = args.iter().map(|arg| (*arg).to_owned()).collect();
        Self { program, args, may_fail: false }
    }

    fn may_fail(mut self) -> Self {
        self.may_fail = true;
        self
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.program)?;
        for arg in &self.args {
            if arg.contains(char::is_whitespace) {
                write!(f, " \"{arg}\"")?;
            } else {
                write!(f, " {arg}")?;
            }
        }
        Ok(())
    }
}

fn systemd(machine: &Machine) -> Service {
    const UNIT: &str = "defenter.service";
    let environment = machine.moved.as_ref().map_or_else(String::new, |moved| {
        format!("Environment={}\n", systemd_word(&format!("DEFENTER_HOME={moved}")))
    });
    // Servers are children of the supervisor and shall not notice it, so nothing is here that takes
    // from them what they have when their client starts them: no NoNewPrivileges (snap and sudo),
    // no PrivateTmp or ProtectHome (files they share with the user), no UMask, no
    // MemoryDenyWriteExecute (Node).
    let text = format!(
        "# Written by `defenter service install`; `defenter service uninstall` removes it.\n\
         [Unit]\n\
         Description=Defenter, the guard between AI clients and their MCP servers\n\
         StartLimitIntervalSec=60\n\
         StartLimitBurst=5\n\
         \n\
         [Service]\n\
         Type=exec\n\
         ExecStart={program} up\n\
         ExecReload=kill -HUP $MAINPID\n\
         {environment}\
         Restart=on-failure\n\
         RestartSec=1\n\
         # The command line or the settings are wrong: starting again mends neither.\n\
         RestartPreventExitStatus=2 5\n\
         # The supervisor ends its servers itself, in good order.\n\
         KillMode=mixed\n\
         TimeoutStopSec={STOP_S}\n\
         # A server that takes all memory does not take the supervisor along.\n\
         OOMPolicy=continue\n\
         # A core would hold what passed, unredacted.\n\
         LimitCORE=0\n\
         \n\
         [Install]\n\
         WantedBy=default.target\n",
        program = systemd_word(&machine.program),
    );
    let user = |args: &[&str]| Step::new("systemctl", &[&["--user"], args].concat());
    Service {
        manager: "systemd",
        file: format!("{}/.config/systemd/user/{UNIT}", machine.home),
        content: text.clone().into_bytes(),
        text,
        install: vec![user(&["daemon-reload"]), user(&["enable", UNIT])],
        start: vec![user(&["restart", UNIT])],
        uninstall: vec![user(&["disable", "--now", UNIT])],
        forget: vec![user(&["daemon-reload"])],
        query: vec![user(&["is-enabled", UNIT]), user(&["is-active", UNIT])],
    }
}

/// A word of a unit file: quoted, with systemd's specifiers kept from meaning anything. In a program's
/// path, as in an assignment, there are no variables.
fn systemd_word(text: &str) -> String {
    let mut word = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => word.extend(['\\', c]),
            '%' => word.push_str("%%"),
            _ => word.push(c),
        }
    }
    word.push('"');
    word
}

fn launchd(machine: &Machine) -> Service {
    let file = format!("{}/Library/LaunchAgents/{LABEL}.plist", machine.home);
    let domain = format!("gui/{}", machine.uid);
    let target = format!("{domain}/{LABEL}");
    let environment = machine.moved.as_ref().map_or_else(String::new, |moved| {
        format!(
            "\t<key>EnvironmentVariables</key>\n\t<dict>\n\t\t<key>DEFENTER_HOME</key>\n\
             \t\t<string>{}</string>\n\t</dict>\n",
            xml(moved)
        )
    });
    let log = xml(&format!("{}/supervisor.log", machine.run));
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \
         \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n\
         <plist version=\"1.0\">\n\
         <dict>\n\
         \t<key>Label</key>\n\t<string>{LABEL}</string>\n\
         \t<key>ProgramArguments</key>\n\t<array>\n\
         \t\t<string>{program}</string>\n\t\t<string>up</string>\n\t</array>\n\
         {environment}\
         \t<key>RunAtLoad</key>\n\t<true/>\n\
         \t<key>KeepAlive</key>\n\t<dict>\n\t\t<key>SuccessfulExit</key>\n\t\t<false/>\n\t</dict>\n\
         \t<key>ThrottleInterval</key>\n\t<integer>10</integer>\n\
         \t<key>ExitTimeOut</key>\n\t<integer>{STOP_S}</integer>\n\
         \t<key>ProcessType</key>\n\t<string>Interactive</string>\n\
         \t<key>LimitLoadToSessionType</key>\n\t<string>Aqua</string>\n\
         \t<key>HardResourceLimits</key>\n\t<dict>\n\t\t<key>Core</key>\n\t\t<integer>0</integer>\n\t</dict>\n\
         \t<key>StandardOutPath</key>\n\t<string>{log}</string>\n\
         \t<key>StandardErrorPath</key>\n\t<string>{log}</string>\n\
         </dict>\n\
         </plist>\n",
        program = xml(&machine.program),
    );
    let stop = Step::new("launchctl", &["bootout", &target]).may_fail();
    Service {
        manager: "launchd",
        content: text.clone().into_bytes(),
        text,
        install: vec![stop.clone(), Step::new("launchctl", &["bootstrap", &domain, &file])],
        start: Vec::new(),
        uninstall: vec![stop],
        forget: Vec::new(),
        query: vec![Step::new("launchctl", &["print", &target])],
        file,
    }
}

fn task(machine: &Machine) -> Result<Service, PlanError> {
    let user = xml(machine.user.as_deref().ok_or(PlanError::NoUser)?);
    // Of any user's logging in only an administrator may hear, so it names the one.
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-16\"?>\r\n\
         <Task version=\"1.3\" xmlns=\"http://schemas.microsoft.com/windows/2004/02/mit/task\">\r\n\
         <RegistrationInfo><Description>Defenter, the guard between AI clients and their MCP \
         servers</Description></RegistrationInfo>\r\n\
         <Triggers><LogonTrigger><Enabled>true</Enabled><UserId>{user}</UserId></LogonTrigger>\
         </Triggers>\r\n\
         <Principals><Principal id=\"Author\"><UserId>{user}</UserId>\
         <LogonType>InteractiveToken</LogonType><RunLevel>LeastPrivilege</RunLevel></Principal>\
         </Principals>\r\n\
         <Settings><MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>\
         <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>\
         <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>\
         <StartWhenAvailable>true</StartWhenAvailable>\
         <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>\
         <RestartOnFailure><Interval>PT1M</Interval><Count>5</Count></RestartOnFailure>\
         </Settings>\r\n\
         <Actions Context=\"Author\"><Exec><Command>{program}</Command><Arguments>up</Arguments>\
         </Exec></Actions>\r\n\
         </Task>\r\n",
        program = xml(&machine.program),
    );
    let file = format!("{}\\defenter-task.xml", machine.run);
    let schtasks = |args: &[&str]| Step::new("schtasks", args);
    Ok(Service {
        manager: "the task scheduler",
        content: utf16(&text),
        text,
        install: vec![schtasks(&["/Create", "/TN", TASK, "/XML", &file, "/F"])],
        start: vec![schtasks(&["/Run", "/TN", TASK])],
        uninstall: vec![
            schtasks(&["/End", "/TN", TASK]).may_fail(),
            schtasks(&["/Delete", "/TN", TASK, "/F"]),
        ],
        forget: Vec::new(),
        query: vec![schtasks(&["/Query", "/TN", TASK, "/FO", "CSV", "/NH"])],
        file,
    })
}

/// Text as `schtasks` takes it: UTF-16, little end first, with a byte order mark.
fn utf16(text: &str) -> Vec<u8> {
    std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
}

fn xml(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(os: Os) -> Machine {
        let (home, program, run) = match os {
            Os::Linux => ("/home/dev", "/home/dev/a b/50%/$x/defenter", "/home/dev/.defenter/run"),
            Os::Macos => ("/Users/dev", "/opt/a & b/defenter", "/Users/dev/.defenter/run"),
            Os::Windows => (
                "C:\\Users\\dev",
                "C:\\Program Files\\D & E\\defenter.exe",
                "C:\\Users\\dev\\.defenter\\run",
            ),
        };
        Machine {
            os,
            home: home.to_owned(),
            program: program.to_owned(),
            moved: None,
            run: run.to_owned(),
            uid: 501,
            user: Some("DESK\\dev".to_owned()),
        }
    }

    fn lines(steps: &[Step]) -> Vec<String> {
        steps.iter().map(Step::to_string).collect()
    }

    #[test]
    fn systemd_gets_a_unit_that_takes_no_word_for_another() {
        let mut linux = machine(Os::Linux);
        linux.moved = Some("/data/50%/$y \"z\"".to_owned());
        let service = service(&linux).expect("a service");
        assert_eq!(service.file, "/home/dev/.config/systemd/user/defenter.service");
        let has = |line: &str| assert!(service.text.lines().any(|it| it == line), "{line}");
        has("ExecStart=\"/home/dev/a b/50%%/$x/defenter\" up");
        has("Environment=\"DEFENTER_HOME=/data/50%%/$y \\\"z\\\"\"");
        has("Restart=on-failure");
        has("WantedBy=default.target");
        assert!(service.text.lines().all(|line| line == line.trim()), "{}", service.text);
        assert_eq!(service.content, service.text.as_bytes());
        assert_eq!(
            lines(&service.install),
            ["systemctl --user daemon-reload", "systemctl --user enable defenter.service"]
        );
        assert_eq!(lines(&service.start), ["systemctl --user restart defenter.service"]);
        assert_eq!(lines(&service.uninstall), ["systemctl --user disable --now defenter.service"]);
    }

    #[test]
    fn launchd_gets_an_agent() {
        let mut mac = machine(Os::Macos);
        mac.moved = Some("/x/<y>".to_owned());
        let service = service(&mac).expect("a service");
        assert_eq!(service.file, "/Users/dev/Library/LaunchAgents/ai.defenter.plist");
        for part in [
            "<string>/opt/a &amp; b/defenter</string>\n\t\t<string>up</string>",
            "<key>DEFENTER_HOME</key>\n\t\t<string>/x/&lt;y&gt;</string>",
            "<key>SuccessfulExit</key>\n\t\t<false/>",
            "<string>/Users/dev/.defenter/run/supervisor.log</string>",
        ] {
            assert!(service.text.contains(part), "{part} is not in {}", service.text);
        }
        assert_well_formed(&service.text);
        assert_eq!(
            lines(&service.install),
            [
                "launchctl bootout gui/501/ai.defenter",
                "launchctl bootstrap gui/501 /Users/dev/Library/LaunchAgents/ai.defenter.plist"
            ]
        );
        assert!(service.install[0].may_fail, "nothing may run yet");
    }

    #[test]
    fn windows_gets_a_task_in_its_encoding() {
        let service = service(&machine(Os::Windows)).expect("a service");
        assert_eq!(service.file, "C:\\Users\\dev\\.defenter\\run\\defenter-task.xml");
        assert!(service.text.contains("<Command>C:\\Program Files\\D &amp; E\\defenter.exe<"));
        assert!(service.text.contains("<UserId>DESK\\dev</UserId></LogonTrigger>"));
        assert_well_formed(&service.text);
        assert_eq!(service.content[..4], [0xff, 0xfe, b'<', 0]);
        let units: Vec<u16> = service.content[2..]
            .chunks_exact(2)
            .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
            .collect();
        assert_eq!(String::from_utf16(&units).expect("UTF-16"), service.text);
        assert_eq!(
            lines(&service.install)[0],
            "schtasks /Create /TN Defenter /XML C:\\Users\\dev\\.defenter\\run\\defenter-task.xml /F"
        );
        let nobody = Machine { user: None, ..machine(Os::Windows) };
        assert!(matches!(super::service(&nobody), Err(PlanError::NoUser)));
    }

    #[test]
    fn a_path_that_would_break_out_of_its_line_is_refused() {
        for os in [Os::Linux, Os::Macos, Os::Windows] {
            for bad in ["/x\nExecStartPre=/bin/evil", "/x\r", "/x\0", "/x\u{1b}"] {
                let program = Machine { program: bad.to_owned(), ..machine(os) };
                assert!(matches!(service(&program), Err(PlanError::Path(_))), "{os} {bad:?}");
                let moved = Machine { moved: Some(bad.to_owned()), ..machine(os) };
                assert!(matches!(service(&moved), Err(PlanError::Path(_))), "{os} {bad:?}");
            }
        }
    }

    /// Asserts that every element of XML without empty attributes ends where it should.
    fn assert_well_formed(text: &str) {
        let mut open = Vec::new();
        for part in text.split('<').skip(1) {
            let (tag, _) = part.split_once('>').expect("a tag ends");
            match tag.strip_prefix('/') {
                Some(name) => assert_eq!(open.pop(), Some(name), "{text}"),
                None if tag.starts_with(['?', '!']) || tag.ends_with('/') => {}
                None => open.extend(tag.split_whitespace().next()),
            }
        }
        assert!(open.is_empty(), "{open:?} in {text}");
    }
}
