//! `defenter redact` as a tool of its own.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::process::{Output, Stdio};

use serde_json::{Value, json};

use crate::bed::{Bed, run, told};

/// Exit codes, as the documented table has them.
const FAILED: i32 = 1;
const USAGE: i32 = 2;
const FOUND: i32 = 10;

const MAIL: &str = "jane.doe@corp-mail.net";

fn shown(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The findings of a run with `--json`.
fn findings(output: &Output) -> Vec<Value> {
    let text = shown(output);
    text.lines().map(|line| serde_json::from_str(line).expect("a finding a line")).collect()
}

#[test]
fn the_exit_code_tells_what_was_found() {
    let bed = Bed::new();
    let check = |args: &[&str], input: &str, code: i32, expected: &str| {
        let output = bed.run_with(args, input.as_bytes());
        assert_eq!(output.status.code(), Some(code), "{args:?}: {}", told(&output));
        assert_eq!(shown(&output), expected, "{args:?}");
    };
    check(&["redact"], "nothing here\n", 0, "nothing here\n");
    check(&["redact"], "", 0, "");
    check(&["redact", "-"], MAIL, FOUND, "[REDACTED-EMAIL]");
    check(&["redact", "--findings"], "nothing here\n", 0, "");
    check(&["redact", "--findings"], &format!("a\n b {MAIL}"), FOUND, "-:2:4: email by email\n");
    check(&["redact", "no-such-file"], "", FAILED, "");
}

#[test]
fn several_inputs_are_copied_in_their_order_and_a_bad_one_stops_no_other() {
    let bed = Bed::new();
    bed.write("work/one.txt", format!("one {MAIL}\n"));
    bed.write("work/three.json", "{\"n\": 4539148803436467, \"x\": 1.50}\n");
    let output = bed.run_with(&["redact", "one.txt", "-", "three.json"], b"two\n");
    assert_eq!(output.status.code(), Some(FOUND), "{}", told(&output));
    assert_eq!(
        shown(&output),
        "one [REDACTED-EMAIL]\ntwo\n{\"n\": \"[REDACTED-CREDIT-CARD]\", \"x\": 1.50}\n"
    );
    let output = bed.run(&["redact", "--json", "one.txt", "gone.txt", ".", "three.json"]);
    assert_eq!(output.status.code(), Some(FAILED), "{}", told(&output));
    for part in ["gone.txt", "directory"] {
        assert!(told(&output).contains(part), "{part} is not in {}", told(&output));
    }
    let found = findings(&output);
    let places: Vec<_> =
        found.iter().map(|one| (&one["file"], &one["line"], &one["column"])).collect();
    assert_eq!(
        places,
        [(&json!("one.txt"), &json!(1), &json!(5)), (&json!("three.json"), &json!(1), &json!(7))]
    );
    assert_eq!(found[1]["key_path"], "/n");
    assert!(!told(&output).contains(MAIL), "{}", told(&output));
}

#[test]
fn bytes_that_are_no_text_pass_unchanged() {
    let bed = Bed::new();
    let mut input: Vec<u8> = (0..=255).collect();
    input.extend_from_slice(b"\xff\xfe\n\xc3(\x00");
    let output = bed.run_with(&["redact"], &input);
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    assert_eq!(output.stdout, input);
}

#[test]
fn only_what_is_asked_for_is_found() {
    let bed = Bed::new();
    let text = format!("{MAIL} 4539148803436467 DE89370400440532013000");
    let check = |args: &[&str], expected: &str| {
        let output = bed.run_with(&[&["redact"], args].concat(), text.as_bytes());
        assert_eq!(shown(&output), expected, "{args:?}: {}", told(&output));
    };
    let (card, iban) = ("4539148803436467", "DE89370400440532013000");
    check(&["--kind", "email"], &format!("[REDACTED-EMAIL] {card} {iban}"));
    check(
        &["--kind", "email", "--kind", "iban"],
        &format!("[REDACTED-EMAIL] {card} [REDACTED-IBAN]"),
    );
    check(&["--rule", "iban"], &format!("{MAIL} {card} [REDACTED-IBAN]"));
    check(
        &["--rule", "iban", "--kind", "email"],
        &format!("[REDACTED-EMAIL] {card} [REDACTED-IBAN]"),
    );
    for args in [["--kind", "emial"], ["--rule", "no-such-rule"]] {
        let output = bed.run_with(&[&["redact"], &args[..]].concat(), text.as_bytes());
        assert_eq!(output.status.code(), Some(USAGE), "{}", told(&output));
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn a_servers_exceptions_apply_where_it_is_named() {
    let exceptions = json!([{"servers": ["ours"], "kinds": ["email"], "reason": "ours"}]);
    let bed = Bed::new().settings(json!({"redaction": {"exceptions": exceptions}}));
    let check = |args: &[&str], expected: &str| {
        let output = bed.run_with(args, MAIL.as_bytes());
        assert_eq!(shown(&output), expected, "{args:?}: {}", told(&output));
    };
    check(&["redact"], "[REDACTED-EMAIL]");
    check(&["redact", "--server", "ours"], MAIL);
    check(&["redact", "--server", "theirs"], "[REDACTED-EMAIL]");
}

#[test]
fn rules_are_listed_and_explained() {
    let bed = Bed::new();
    let list = bed.run(&["redact", "--rules"]);
    assert!(list.status.success() && shown(&list).lines().count() > 100, "{}", told(&list));
    let ids: Vec<String> = findings(&bed.run(&["redact", "--rules", "--json"]))
        .iter()
        .map(|info| info["id"].as_str().expect("an id").to_owned())
        .collect();
    assert!(ids.is_sorted() && ids.contains(&"email".to_owned()), "{ids:?}");
    let explained = bed.json(&["redact", "--explain", "github-token", "--json"]);
    for key in ["description", "expression", "source"] {
        assert!(explained[key].as_str().is_some_and(|text| !text.is_empty()), "{key}: {explained}");
    }
    let text = shown(&bed.run(&["redact", "--explain", "github-token"]));
    for part in ["github-token: ", "finds:", "expression:", "known from:"] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    let text = shown(&bed.run(&["redact", "--explain", "email"]));
    assert!(text.contains("  in:") && text.contains("  not in:"), "{text}");
    let unknown = bed.run(&["redact", "--explain", "github-pat"]);
    assert_eq!(unknown.status.code(), Some(USAGE), "{}", told(&unknown));
    assert!(told(&unknown).contains("github-token"), "{}", told(&unknown));
}

#[test]
fn a_rule_about_paths_holds_for_a_file_of_that_path() {
    let bed = Bed::new();
    let rules = bed.write(
        "rules.toml",
        "[[rules]]\nid = \"drawer\"\nkind = \"email\"\npath = '''drawer/.*\\.txt$'''\n\
         regex = '''drawn_[a-z]{8}'''\nkeywords = [\"drawn_\"]\n",
    );
    let bed = bed.settings(json!({"redaction": {"rules": [rules]}}));
    for (path, expected) in
        [("drawer/a.txt", "[REDACTED-EMAIL]"), ("table/a.txt", "drawn_abcdefgh")]
    {
        bed.write(&format!("work/{path}"), "drawn_abcdefgh");
        assert_eq!(shown(&bed.run(&["redact", path])), expected, "{path}");
    }
}

#[test]
fn a_file_is_redacted_in_its_place() {
    let bed = Bed::new();
    let path = bed.write("work/notes.txt", format!("to {MAIL}\n"));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("ours");
    let clean = bed.write("work/clean.txt", "nothing\n");
    let before = fs::metadata(&clean).expect("it is there").ino();
    let output = bed.run(&["redact", "--in-place", "--json", "notes.txt", "clean.txt"]);
    assert_eq!(output.status.code(), Some(FOUND), "{}", told(&output));
    assert_eq!(findings(&output).len(), 1);
    assert_eq!(fs::read_to_string(&path).expect("text"), "to [REDACTED-EMAIL]\n");
    assert_eq!(fs::metadata(&path).expect("it is there").mode() & 0o777, 0o640);
    assert_eq!(fs::metadata(&clean).expect("it is there").ino(), before, "not touched");
    let again = bed.run(&["redact", "--in-place", "notes.txt", "clean.txt"]);
    assert_eq!(again.status.code(), Some(0), "{}", told(&again));
    assert!(again.stdout.is_empty());
    assert_eq!(fs::read_dir(bed.home().join("work")).expect("a folder").count(), 2);
}

#[test]
fn what_cannot_be_replaced_stays_as_it_is() {
    let bed = Bed::new();
    let text = format!("to {MAIL}\n");
    let path = bed.write("work/real.txt", &text);
    let folder = path.parent().expect("a folder");
    std::os::unix::fs::symlink("real.txt", folder.join("link.txt")).expect("a link");
    let check = |args: &[&str], code: i32, part: &str| {
        let output = bed.run(&[&["redact", "--in-place"], args].concat());
        assert_eq!(output.status.code(), Some(code), "{args:?}: {}", told(&output));
        assert!(told(&output).contains(part), "{part} is not in {}", told(&output));
        assert_eq!(fs::read_to_string(&path).expect("text"), text, "{args:?}");
    };
    check(&["link.txt"], FAILED, "it is a link");
    check(&["-"], FAILED, "it has no place");
    check(&[], USAGE, "required");
    check(&["."], FAILED, "it is no file");
    fs::hard_link(&path, folder.join("twin.txt")).expect("a second name");
    check(&["real.txt"], FAILED, "more than one name");
    assert_eq!(fs::read_dir(folder).expect("a folder").count(), 3);
}

#[test]
fn what_takes_too_much_work_is_withheld_and_its_file_stays() {
    let bed = Bed::new();
    // More findings than one text may have.
    let hosts: Vec<String> =
        (0..100_100).map(|n| format!("93.{}.{}.{}", n >> 16, n >> 8 & 255, n & 255)).collect();
    let text = json!([hosts.join(" ")]).to_string();
    let path = bed.write("work/many.json", &text);
    for args in [&["redact", "many.json"][..], &["redact", "--in-place", "many.json"]] {
        let output = bed.run(args);
        assert_eq!(output.status.code(), Some(FAILED), "{}", told(&output));
        assert!(!shown(&output).contains("93.1"), "nothing is let through");
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(error.contains("not looked through to its end"), "{error}");
    }
    assert!(fs::read_to_string(&path).expect("text") == text, "the file is as it was");
}

#[test]
fn a_large_input_needs_little_memory() {
    let bed = Bed::new();
    let line = format!("a line of a long text that says nothing of note {}\n", "lorem ".repeat(20));
    let text = line.repeat((48 << 20) / line.len());
    bed.write("work/large.txt", format!("{text}{MAIL}\n"));
    // All that the process may write to, in KiB: less than the input has.
    let script = "ulimit -d 32768 && exec \"$0\" redact large.txt";
    let mut command = bed.command("/bin/sh");
    command.args(["-c", script, crate::programs::DEFENTER]);
    let output = run(command, b"");
    assert_eq!(output.status.code(), Some(FOUND), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stdout == format!("{text}[REDACTED-EMAIL]\n").into_bytes());
}

#[test]
fn a_reader_that_goes_away_ends_it_quietly() {
    let bed = Bed::new();
    let mut command = bed.defenter(&["redact"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    drop(child.stdout.take());
    let mut input = child.stdin.take().expect("it is piped");
    // More than is kept before the first part is written; it may end before all was read.
    let _ = input.write_all(&b"nothing of note\n".repeat(100_000));
    drop(input);
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
}
