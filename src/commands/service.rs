//! `defenter service`: has the system start the supervisor when its user logs in.
//!
//! Owns: asking the system's service manager, with a bound on each wait.
//! Accepts: what [`plan`] says for the system that this is.
//! Promises: a file is written whole or not at all, and is written whether or not the service
//! manager can be asked; what it would be asked is said then.

mod ask;
mod plan;

use std::{
    fs,
    io::{self, Write},
    path::Path,
};

use defenter_actors::house::House;
use defenter_config::Os;
use serde::Serialize;

use crate::{
    Exit, Outcome,
    cli::{ServiceArgs, ServiceCommand},
    control,
    failure::{Failure, OrFail},
    here,
    terminal::{self, plain},
};
use plan::{Machine, Service, Step};

pub(crate) fn run(command: &ServiceCommand) -> Outcome {
    let house = here::house(Vec::new())?;
    let service = plan::service(&machine(&house)?).or_fail(Exit::Failed)?;
    match command {
        ServiceCommand::Install(args) => install(args, &house, &service),
        ServiceCommand::Uninstall(args) => uninstall(args, &service),
        ServiceCommand::Status { json } => status(*json, &house, &service),
    }
}

/// What the service's file depends on.
fn machine(house: &House) -> Result<Machine, Failure> {
    let (host, program) = (&house.host, here::program()?);
    let text = |path: &Path| {
        path.to_str().map(str::to_owned).ok_or_else(|| {
            Failure::new(Exit::Failed, format!("the path {} is not text", path.display()))
        })
    };
    let user = host.var("USERNAME").map(|name| match host.var("USERDOMAIN") {
        Some(domain) => format!("{domain}\\{name}"),
        None => name.to_owned(),
    });
    Ok(Machine {
        os: host.os,
        home: text(&host.home)?,
        program: text(&program)?,
        moved: host.var("DEFENTER_HOME").filter(|it| host.is_absolute(it)).map(str::to_owned),
        run: text(&house.paths.run)?,
        uid: here::uid(),
        user,
    })
}

fn install(args: &ServiceArgs, house: &House, service: &Service) -> Outcome {
    let mut steps = service.install.clone();
    if args.dry_run {
        steps.extend_from_slice(&service.start);
        show(args.json, service, &steps)?;
        return Ok(Exit::Done);
    }
    house.paths.create(here::uid()).or_fail(Exit::Failed)?;
    // Where the service is there already, it is its own supervisor that runs.
    let is_new = fs::symlink_metadata(&service.file).is_err();
    let other = control::status(&house.paths)?.filter(|_| is_new);
    if other.is_none() {
        steps.extend_from_slice(&service.start);
    }
    write(Path::new(&service.file), &service.content).map_err(|error| {
        Failure::new(Exit::Failed, format!("failed to write {}: {error}", service.file))
    })?;
    let asked = ask::all(&steps);
    report(args.json, "installed", service, asked.as_ref().err())?;
    if let Some(other) = other {
        terminal::complain(&in_the_way(other.supervisor.pid, service));
    }
    if house.host.os == Os::Windows {
        terminal::complain("warning: on Windows the shims do not join the supervisor yet\n");
    }
    outcome(asked, service, &steps)
}

/// What to do about a supervisor that was started by other means, since there can be only one.
fn in_the_way(pid: u32, service: &Service) -> String {
    let next = match lines(&service.start) {
        start if start.is_empty() => "; the service takes its place then".to_owned(),
        start => format!(", then start the service: {start}"),
    };
    format!(
        "warning: a supervisor runs already (process {pid}); end it with `defenter down`{next}\n"
    )
}

fn lines(steps: &[Step]) -> String {
    steps.iter().map(Step::to_string).collect::<Vec<_>>().join("; ")
}

fn uninstall(args: &ServiceArgs, service: &Service) -> Outcome {
    let is_there = fs::symlink_metadata(&service.file).is_ok();
    if args.dry_run {
        show(args.json, service, &service.uninstall)?;
        return Ok(Exit::Done);
    }
    if !is_there {
        report(args.json, "not installed", service, None)?;
        return Ok(Exit::NothingToDo);
    }
    let stopped = ask::all(&service.uninstall);
    fs::remove_file(&service.file).map_err(|error| {
        Failure::new(Exit::Failed, format!("failed to remove {}: {error}", service.file))
    })?;
    let forgotten = stopped.and_then(|()| ask::all(&service.forget));
    report(args.json, "removed", service, forgotten.as_ref().err())?;
    outcome(forgotten, service, &service.uninstall)
}

/// How a command ends whose file is written and whose questions may have failed.
fn outcome(asked: Result<(), ask::AskError>, service: &Service, steps: &[Step]) -> Outcome {
    let Err(error) = asked else { return Ok(Exit::Done) };
    let message = format!("{} could not do its part: {error}", service.manager);
    Err(Failure::new(Exit::Failed, plain(&message)).hint(format!(
        "the file is as it should be; where {} works, run: {}",
        service.manager,
        lines(steps)
    )))
}

fn is_current(service: &Service) -> bool {
    fs::read(&service.file).is_ok_and(|content| content == service.content)
}

#[derive(Serialize)]
struct Report<'a> {
    file: &'a str,
    /// Whether the file is there.
    installed: bool,
    /// Whether it says what this program would write.
    current: bool,
    /// What the service manager says of it.
    manager: Vec<Said>,
    /// The process of the supervisor that runs, however it was started.
    #[serde(skip_serializing_if = "Option::is_none")]
    supervisor: Option<u32>,
}

#[derive(Serialize)]
struct Said {
    asked: String,
    said: String,
}

fn status(json: bool, house: &House, service: &Service) -> Outcome {
    let said = |step: &Step| Said {
        asked: step.to_string(),
        said: ask::first_line(step).unwrap_or_else(|error| error.to_string()),
    };
    let running = control::status(&house.paths)?;
    let report = Report {
        file: &service.file,
        installed: Path::new(&service.file).exists(),
        current: is_current(service),
        manager: service.query.iter().map(said).collect(),
        supervisor: running.map(|running| running.supervisor.pid),
    };
    if json {
        terminal::say_json(&report)?;
    } else {
        terminal::say(&report.text())?;
    }
    Ok(if report.installed && !report.current { Exit::Drift } else { Exit::Done })
}

impl Report<'_> {
    fn text(&self) -> String {
        let file = match (self.installed, self.current) {
            (false, _) => "not installed (`defenter service install`)",
            (true, true) => "installed",
            (true, false) => "installed for another program or by another version; install again",
        };
        let mut text = format!("service: {file}\nfile: {}\n", self.file);
        for Said { asked, said } in &self.manager {
            text.push_str(&format!("{asked}: {}\n", plain(said)));
        }
        let supervisor =
            self.supervisor.map_or("not running".to_owned(), |pid| format!("process {pid}"));
        text + &format!("supervisor: {supervisor}\n")
    }
}

/// Shows a file and what would be run, and does neither.
fn show(json: bool, service: &Service, steps: &[Step]) -> Result<(), Failure> {
    let steps: Vec<String> = steps.iter().map(Step::to_string).collect();
    if json {
        let text = &service.text;
        return terminal::say_json(
            &serde_json::json!({"file": service.file, "content": text, "run": steps}),
        );
    }
    terminal::say(&format!("# {}\n{}\n# then:\n", service.file, service.text))?;
    terminal::say(&steps.iter().map(|step| format!("{step}\n")).collect::<String>())
}

fn report(
    json: bool,
    what: &str,
    service: &Service,
    failed: Option<&ask::AskError>,
) -> Result<(), Failure> {
    if json {
        return terminal::say_json(&serde_json::json!({
            "service": what,
            "file": service.file,
            "error": failed.map(|error| plain(&error.to_string())),
        }));
    }
    terminal::say(&format!("{what}: {}\n", service.file))
}

/// Writes a file by rename, with the folders that it needs.
fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    let temporary = Path::new(&name);
    let written = (|| {
        let mut file = fs::File::create_new(temporary)?;
        file.write_all(content)?;
        file.sync_all()?;
        fs::rename(temporary, path)
    })();
    if written.is_err() {
        // What stays of it is in nobody's way.
        let _ = fs::remove_file(temporary);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_written_whole_with_its_folders_and_over_the_old_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a/b/unit");
        write(&path, b"one").expect("written");
        write(&path, b"two").expect("written");
        assert_eq!(fs::read(&path).expect("read"), b"two");
        let left = fs::read_dir(path.parent().expect("a folder")).expect("a folder").count();
        assert_eq!(left, 1, "nothing but the file");
    }
}
