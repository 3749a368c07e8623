//! `defenter audit`: reads and checks the record of operations.

use defenter_actors::counted::Counted;
use defenter_audit::{Entry, tail as read_tail, verify as check};

use crate::{
    Exit, Outcome,
    failure::OrFail,
    here,
    terminal::{self, plain},
};

pub(crate) fn tail(lines: usize, json: bool) -> Outcome {
    let house = here::house(Vec::new())?;
    for entry in read_tail(&house.paths.audit, lines).or_fail(Exit::Failed)? {
        if json {
            terminal::say_json(&entry)?;
        } else {
            terminal::say(&line(&entry))?;
        }
    }
    Ok(Exit::Done)
}

/// One record on one line.
pub(crate) fn line(entry: &Entry) -> String {
    let record = &entry.record;
    let arrow = if &*record.direction == "to-server" { "->" } else { "<-" };
    let target = record.tool.as_ref().map_or_else(String::new, |tool| format!(" {}", plain(tool)));
    let answer = record.answer.as_ref().map_or_else(String::new, |answer| format!(" ({answer})"));
    let mut notes = Vec::new();
    notes.extend(record.findings.iter().map(|found| format!("{}×{}", found.count, found.kind)));
    notes.extend(record.rules.iter().map(|rule| plain(&rule.id)));
    let notes = if notes.is_empty() { String::new() } else { format!("  [{}]", notes.join(", ")) };
    format!(
        "{} {} {} {arrow} {} {}{target} {}  {}{answer}{notes}\n",
        record.time,
        record.id,
        plain(&record.client),
        plain(&record.server),
        plain(&record.method),
        record.phase,
        record.decision,
    )
}

pub(crate) fn verify(json: bool) -> Outcome {
    let house = here::house(Vec::new())?;
    let report = check(&house.paths.audit).or_fail(Exit::Failed)?;
    if json {
        terminal::say_json(&report)?;
    } else {
        for stream in &report.streams {
            let state =
                stream.problem.as_ref().map_or_else(|| "intact".to_owned(), ToString::to_string);
            let torn = match stream.torn {
                0 => String::new(),
                count => {
                    let lines = Counted(count, "half-written line");
                    format!(", {lines} of crashes set aside")
                }
            };
            let (name, records) = (&stream.stream, Counted(stream.records, "record"));
            terminal::say(&format!("{name}: {records}, {state}{torn}\n"))?;
        }
    }
    Ok(if report.is_intact() { Exit::Done } else { Exit::Failed })
}
