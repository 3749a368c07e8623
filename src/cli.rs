//! The command line: what can be said, and nothing of what it does.

use std::{ffi::OsString, path::PathBuf};

use clap::{Args, Parser, Subcommand, ValueHint, builder::PossibleValuesParser};
use clap_complete::Shell;

/// The guard between AI clients and their MCP servers.
#[derive(Debug, Parser)]
#[command(name = "defenter", version, propagate_version = true, arg_required_else_help = true)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the supervisor until it is told to stop
    Up(UpArgs),
    /// Run one MCP server behind Defenter, in its place
    Proxy(ProxyArgs),
    /// Answer one event of a client's hooks: one JSON object on standard input
    Hook(HookArgs),
    /// Make the servers of this machine's MCP clients run through Defenter
    Install(InstallArgs),
    /// Give the clients' configs back as they were
    Uninstall(UninstallArgs),
    /// List the servers that the clients' configs name, and whether they are protected
    Servers(LookArgs),
    /// Look for what does not work or is not protected; exits with 7 where something is wrong
    Doctor(LookArgs),
    /// Show what is installed and what runs
    Status(StatusArgs),
    /// Start a server anew, or take it out of quarantine
    Restart {
        /// The server's name, as `defenter status` shows it
        name: String,
    },
    /// Show the last lines that a server wrote to its standard error
    Logs {
        /// The server's name, as `defenter status` shows it
        name: String,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Stop the supervisor
    Down,
    /// Have the system start the supervisor when you log in
    #[command(subcommand)]
    Service(ServiceCommand),
    /// Show the settings and where each comes from
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Copy text or JSON with secrets and personal data replaced
    Redact(RedactArgs),
    /// Read and check the record of operations
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Say what was seen and decided of one operation, or what redaction leaves alone for a server
    Explain {
        /// The operation's id, as refusals and `defenter audit tail` show it
        #[arg(required_unless_present = "server")]
        id: Option<String>,
        /// A server, by its name in the clients' configs, instead of an operation
        #[arg(long, value_name = "NAME", conflicts_with = "id")]
        server: Option<String>,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Write a completion script for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Show one question to the user (used by Defenter itself)
    #[command(hide = true)]
    Ask,
    /// End a server's processes once our parent is gone (used by Defenter itself)
    #[command(hide = true)]
    Guard,
}

/// The name of a server that nobody named; what Defenter 0.0.96 called it.
pub(crate) const DEFAULT_NAME: &str = "MCPWrapper";

/// `defenter up`.
#[derive(Debug, Args)]
pub(crate) struct UpArgs {
    /// Address of the console and the metrics, instead of the settings' one
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<String>,
    /// Go on in the background; returns when the supervisor answers
    #[arg(long)]
    pub detach: bool,
}

/// `defenter proxy` and `defenter-proxy`.
#[derive(Debug, Parser)]
#[command(name = "defenter-proxy", version)]
pub(crate) struct ProxyArgs {
    /// The server's name in the client's config
    #[arg(long, default_value = DEFAULT_NAME)]
    pub name: String,
    /// The client's id, for policies and metrics
    #[arg(long, value_name = "ID")]
    pub client: Option<String>,
    /// The server's entry as JSON, `@FILE`, or `-` for standard input
    #[arg(long, value_name = "JSON|@FILE|-", conflicts_with = "server")]
    pub wrapped_config: Option<String>,
    /// Do the whole job alone even where a supervisor runs
    #[arg(long)]
    pub alone: bool,
    /// Answer one event of a client's hooks, as `defenter hook` does (Defenter 0.0.96)
    #[arg(long, conflicts_with_all = ["server", "wrapped_config"])]
    pub ide_tool: bool,
    /// The client whose hook it is: `cursor` or `claude-code`
    #[arg(long, value_name = "ID", requires = "ide_tool")]
    pub ide: Option<String>,
    /// What Defenter 0.0.96 was told besides; it is not used
    #[arg(long, value_name = "TEXT", requires = "ide_tool")]
    pub context: Option<String>,
    /// The server's command and its arguments
    #[arg(last = true, value_name = "COMMAND", value_hint = ValueHint::CommandWithArguments)]
    pub server: Vec<OsString>,
}

/// `defenter hook`.
#[derive(Debug, Args)]
pub(crate) struct HookArgs {
    /// The client's id, where what it says leaves a choice
    #[arg(value_name = "CLIENT")]
    pub client: Option<String>,
    /// The event, for a client that does not say it
    #[arg(value_name = "EVENT")]
    pub event: Option<String>,
}

/// `defenter install`.
#[derive(Debug, Args)]
pub(crate) struct InstallArgs {
    /// What is changed, and how.
    #[command(flatten)]
    pub change: ChangeArgs,
    /// Have the clients ask Defenter too, before their agent acts; where a client runs only hooks
    /// that are trusted (Codex), trust them
    #[arg(long)]
    pub hooks: bool,
}

/// `defenter uninstall`.
#[derive(Debug, Args)]
pub(crate) struct UninstallArgs {
    /// What is changed, and how.
    #[command(flatten)]
    pub change: ChangeArgs,
    /// Take out the hooks only; the servers stay wrapped
    #[arg(long, conflicts_with_all = ["server", "except", "project"])]
    pub hooks: bool,
}

/// What `defenter install` and `defenter uninstall` change, and how.
#[derive(Debug, Args)]
pub(crate) struct ChangeArgs {
    /// Only this client (may be repeated)
    #[arg(long, value_name = "ID")]
    pub client: Vec<String>,
    /// Only servers of this name (may be repeated)
    #[arg(long, value_name = "NAME")]
    pub server: Vec<String>,
    /// No servers of this name (may be repeated)
    #[arg(long, value_name = "NAME")]
    pub except: Vec<String>,
    /// Also the files of this project, which others may share
    #[arg(long, value_name = "DIRECTORY", value_hint = ValueHint::DirPath)]
    pub project: Vec<PathBuf>,
    /// Show what would change, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask
    #[arg(long, short)]
    pub yes: bool,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

impl ChangeArgs {
    /// Whether single servers are what is asked about.
    pub(crate) fn names_servers(&self) -> bool {
        !self.server.is_empty() || !self.except.is_empty() || !self.project.is_empty()
    }
}

/// `defenter servers` and `defenter doctor`.
#[derive(Debug, Args)]
pub(crate) struct LookArgs {
    /// Only this client (may be repeated)
    #[arg(long, value_name = "ID")]
    pub client: Vec<String>,
    /// Also the files of this project (may be repeated)
    #[arg(long, value_name = "DIRECTORY", value_hint = ValueHint::DirPath)]
    pub project: Vec<PathBuf>,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// `defenter status`.
#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    /// As JSON
    #[arg(long)]
    pub json: bool,
    /// Exit with 7 when an entry that was wrapped is no longer
    #[arg(long)]
    pub check: bool,
}

/// `defenter service …`.
#[derive(Debug, Subcommand)]
pub(crate) enum ServiceCommand {
    /// Write the service's file, and start the service
    Install(ServiceArgs),
    /// Stop the service, and remove its file
    Uninstall(ServiceArgs),
    /// Show whether it is installed and runs; exits with 7 when its file is out of date
    Status {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
}

/// `defenter service install` and `defenter service uninstall`.
#[derive(Debug, Args)]
pub(crate) struct ServiceArgs {
    /// Show the file and what would be run, and do neither
    #[arg(long)]
    pub dry_run: bool,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// `defenter config …`.
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Show every setting in force
    Show {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Show one setting, what it means and where its value comes from
    Explain {
        /// The setting, such as `proxy.max_line_bytes`
        key: String,
    },
    /// Show the JSON schema of the settings file
    Schema,
}

/// `defenter redact`.
#[derive(Debug, Args)]
pub(crate) struct RedactArgs {
    /// Show what was found instead of the redacted copy
    #[arg(long)]
    pub findings: bool,
    /// Show what was found as JSON, one finding a line
    #[arg(long)]
    pub json: bool,
    /// Put the redacted copy in the place of each file; what was found is shown where asked for
    #[arg(long, requires = "files")]
    pub in_place: bool,
    /// Only what is of this kind, such as `email`; may be given more than once
    #[arg(long = "kind", value_name = "KIND", value_parser = kinds())]
    pub kinds: Vec<String>,
    /// Only what this rule finds; may be given more than once
    #[arg(long = "rule", value_name = "RULE")]
    pub rules: Vec<String>,
    /// Leave alone what the settings leave alone for that server
    #[arg(long, value_name = "NAME")]
    pub server: Option<String>,
    /// List the rules
    #[arg(long = "rules", conflicts_with_all = ["files", "explain"])]
    pub list: bool,
    /// Tell everything about a rule
    #[arg(long, value_name = "RULE", conflicts_with = "files")]
    pub explain: Option<String>,
    /// Files, and `-` for standard input; standard input where none is named
    #[arg(value_hint = ValueHint::FilePath)]
    pub files: Vec<PathBuf>,
}

fn kinds() -> PossibleValuesParser {
    defenter_redact::Kind::ALL.iter().map(|kind| kind.label()).collect::<Vec<_>>().into()
}

/// `defenter audit …`.
#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Show the last records
    Tail {
        /// How many
        #[arg(short = 'n', long, default_value_t = 20, value_name = "COUNT")]
        lines: usize,
        /// As JSON, one a line
        #[arg(long)]
        json: bool,
    },
    /// Check that no record was changed, removed or moved
    Verify {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
}
