use std::fs;
use std::sync::Arc;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::record::{FindingSummary, Outcome, Payload, RuleRef};
use crate::verify::{Reason, verify};
use crate::{Follower, find, tail};

const START: u64 = 1_795_520_400_000;

fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(START + millis)
}

fn record(n: u64) -> Record {
    Record {
        id: Arc::from(format!("0190a1b2-{n:04}")),
        time: at(n),
        session: Arc::from("s-1"),
        client: Arc::from("claude-code"),
        server: Arc::from("files"),
        method: Arc::from("tools/call"),
        direction: Arc::from("to-server"),
        phase: Arc::from("request"),
        tool: Some(Arc::from("read_file")),
        decision: Arc::from("allow"),
        rules: vec![RuleRef {
            id: Arc::from("builtin.x"),
            layer: Arc::from("builtin"),
            effect: Arc::from("allow"),
        }],
        findings: vec![FindingSummary { kind: Arc::from("email"), count: 2 }],
        outcome: Outcome::Forwarded,
        size: 40,
        payload: Payload::new(br#"{"name":"read_file","arguments":{"path":"a.txt"}}"#, 1000),
        ..Record::default()
    }
}

fn open(dir: &Path) -> Log {
    Log::open(dir, Options::default(), at(0)).unwrap()
}

/// A record of five lines behind the header; gives its directory and its file.
fn five() -> (TempDir, PathBuf) {
    let dir = TempDir::new().unwrap();
    let mut log = open(dir.path());
    for n in 0..5 {
        log.append(&record(n)).unwrap();
    }
    let path = log.path().to_owned();
    (dir, path)
}

fn lines(path: &Path) -> Vec<Vec<u8>> {
    let text = fs::read(path).unwrap();
    text.split_inclusive(|b| *b == b'\n').map(<[u8]>::to_vec).collect()
}

fn reason(dir: &Path) -> Option<Reason> {
    let report = verify(dir).unwrap();
    report.streams.into_iter().find_map(|stream| stream.problem).map(|problem| problem.reason)
}

#[test]
fn what_is_appended_can_be_read_and_verified() {
    let (dir, path) = five();
    let report = verify(dir.path()).unwrap();
    assert!(report.is_intact());
    assert_eq!((report.records(), report.streams[0].last_seq), (5, Some(6)));
    let last = fs::read_to_string(&path).unwrap();
    let hash = report.streams[0].last_hash.clone().unwrap();
    assert!(last.ends_with(&format!("\"hash\":\"{hash}\"}}\n")));
    let newest = tail(dir.path(), 2).unwrap();
    assert_eq!(newest.iter().map(|entry| entry.record.time).collect::<Vec<_>>(), [at(3), at(4)]);
    assert_eq!(tail(dir.path(), 1000).unwrap().len(), 5);
    let found = find(dir.path(), "0190a1b2-0002").unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].record.payload.as_ref().unwrap().get(), record(2).payload.unwrap().get());
    assert_eq!(found[0].seq, 4);
    assert!(find(dir.path(), "0190a1b2").unwrap().is_empty());
}

#[test]
fn an_empty_or_missing_directory_is_intact() {
    let dir = TempDir::new().unwrap();
    assert!(verify(&dir.path().join("none")).unwrap().is_intact());
    assert!(tail(dir.path(), 3).unwrap().is_empty());
}

#[test]
fn a_batch_is_one_write_and_counts_its_bytes() {
    let dir = TempDir::new().unwrap();
    let mut log = open(dir.path());
    let header = fs::metadata(log.path()).unwrap().len();
    let records: Vec<Record> = (0..3).map(record).collect();
    let appended = log.append_batch(&records).unwrap();
    let length = fs::metadata(log.path()).unwrap().len();
    assert_eq!(appended, Appended { seq: 4, end: length });
    assert!(length > header);
    let none = log.append_batch([]).unwrap();
    assert_eq!(none, appended);
}

#[test]
fn a_new_log_goes_on_where_the_old_one_ended() {
    let (dir, path) = five();
    let mut log = open(dir.path());
    assert_eq!((log.path(), log.stream()), (&*path, "main"));
    assert_eq!(log.append(&record(5)).unwrap().seq, 7);
    assert!(verify(dir.path()).unwrap().is_intact());
}

#[test]
fn two_writers_have_a_stream_each() {
    let dir = TempDir::new().unwrap();
    let (mut first, mut second) = (open(dir.path()), open(dir.path()));
    let mut third = open(dir.path());
    assert_eq!(first.stream(), "main");
    assert!(second.stream().starts_with("solo-") && third.stream() != second.stream());
    for n in 0..3 {
        first.append(&record(3 * n)).unwrap();
        second.append(&record(3 * n + 1)).unwrap();
        third.append(&record(3 * n + 2)).unwrap();
    }
    let times: Vec<_> = tail(dir.path(), 100).unwrap().iter().map(|e| e.record.time).collect();
    assert_eq!(times, (0..9).map(at).collect::<Vec<_>>());
    let report = verify(dir.path()).unwrap();
    assert!(report.is_intact() && report.streams.len() == 3 && report.streams[0].stream == "main");
    drop((first, second, third));
    assert_eq!(open(dir.path()).stream(), "main");
}

#[cfg(unix)]
#[test]
fn files_are_private() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = TempDir::new().unwrap();
    let inner = dir.path().join("a/b");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let log = open(&inner);
    assert_eq!(mode(&inner), 0o700);
    for entry in fs::read_dir(&inner).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
    let path = log.path().to_owned();
    drop(log);
    fs::set_permissions(&inner, fs::Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let _log = open(&inner);
    assert_eq!((mode(&inner), mode(&path)), (0o700, 0o600));
}

#[test]
fn a_failed_write_leaves_nothing_behind() {
    let (dir, path) = five();
    let mut log = open(dir.path());
    let before = fs::metadata(&path).unwrap().len();
    // A handle that cannot write stands for a disk that is full and cannot be cut back either.
    let working = std::mem::replace(&mut log.file, File::open(&path).unwrap());
    assert!(log.append(&record(5)).is_err());
    assert!(log.append(&record(5)).is_err());
    // Half of a line got through.
    fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(b"{\"seq\":7,").unwrap();
    log.file = working;
    assert_eq!(log.append(&record(6)).unwrap().seq, 7);
    assert!(fs::metadata(&path).unwrap().len() > before);
    let report = verify(dir.path()).unwrap();
    assert!(report.is_intact(), "{report:?}");
    assert_eq!(report.records(), 6);
}

#[test]
fn a_closed_log_is_free_even_where_a_child_has_its_descriptors() {
    let dir = TempDir::new().unwrap();
    let log = open(dir.path());
    // What a child has in hand between fork and exec.
    let child = log.claim.lock.try_clone().unwrap();
    assert!(files::is_claimed(dir.path(), files::MAIN));
    drop(log);
    assert!(!files::is_claimed(dir.path(), files::MAIN));
    assert_eq!(open(dir.path()).stream(), files::MAIN);
    drop(child);
}

/// A limit on the size of files stands for a full disk: the write that meets it is cut short. The
/// limit is one of a whole process, so the test runs itself under it.
#[cfg(unix)]
#[test]
fn a_full_disk_is_an_error_that_passes() {
    const DIR: &str = "DEFENTER_TEST_FULL_DISK";
    if let Some(dir) = std::env::var_os(DIR) {
        return fill(Path::new(&dir));
    }
    let dir = TempDir::new().unwrap();
    let child = std::process::Command::new("sh")
        .args(["-c", "ulimit -f 16; trap '' XFSZ; exec \"$0\" --exact \"$1\""])
        .arg(std::env::current_exe().unwrap())
        .arg("log::tests::a_full_disk_is_an_error_that_passes")
        .env(DIR, dir.path())
        .output()
        .unwrap();
    assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stdout));
    let full = verify(dir.path()).unwrap();
    assert!(full.is_intact() && full.records() > 5, "{full:?}");
    assert_eq!(full.streams[0].torn, 0);
    let mut log = open(dir.path());
    log.append(&record(100)).unwrap();
    let after = verify(dir.path()).unwrap();
    assert!(after.is_intact() && after.records() == full.records() + 1);
}

#[cfg(unix)]
fn fill(dir: &Path) {
    let mut log = open(dir);
    let refused = (0..100).find_map(|n| log.append(&record(n)).err()).unwrap();
    assert!(refused.is_full(), "{refused}");
    assert!(refused.to_string().contains("audit.max_total_bytes"), "{refused}");
    let length = fs::metadata(log.path()).unwrap().len();
    assert_eq!(length, log.length);
    let batch: Vec<Record> = (0..50).map(record).collect();
    assert!(log.append_batch(&batch).is_err());
    assert_eq!(fs::metadata(log.path()).unwrap().len(), length);
}

#[test]
fn files_rotate_by_size_and_the_chain_goes_on() {
    let dir = TempDir::new().unwrap();
    let options = Options { max_file_bytes: 2000, ..Options::default() };
    let mut log = Log::open(dir.path(), options.clone(), at(0)).unwrap();
    for n in 0..20 {
        log.append(&record(n)).unwrap();
        if n == 10 {
            drop(log);
            log = Log::open(dir.path(), options.clone(), at(n)).unwrap();
        }
    }
    let report = verify(dir.path()).unwrap();
    assert!(report.is_intact(), "{report:?}");
    assert_eq!(report.records(), 20);
    assert!(report.streams[0].files > 3);
    assert_eq!(tail(dir.path(), 15).unwrap().len(), 15);

    let files = files::list(dir.path()).unwrap();
    fs::remove_file(&files[1].path).unwrap();
    assert_eq!(reason(dir.path()), Some(Reason::Removed));
    fs::remove_file(&files[0].path).unwrap();
    assert_eq!(reason(dir.path()), None, "older files may be deleted");
    let mut cut = lines(&files[2].path);
    cut.pop();
    fs::write(&files[2].path, cut.concat()).unwrap();
    assert_eq!(reason(dir.path()), Some(Reason::Truncated));
}

#[test]
fn files_rotate_by_age() {
    let dir = TempDir::new().unwrap();
    let options = Options { max_age: Duration::from_millis(5000), ..Options::default() };
    let mut log = Log::open(dir.path(), options.clone(), at(0)).unwrap();
    log.append(&record(1)).unwrap();
    log.append(&record(6000)).unwrap();
    drop(log);
    let log = Log::open(dir.path(), options, at(20_000)).unwrap();
    assert_eq!(log.segment.number, 3);
    let report = verify(dir.path()).unwrap();
    assert!(report.is_intact() && report.streams[0].files == 3, "{report:?}");
}

#[test]
fn old_files_are_deleted_and_living_ones_are_not() {
    let dir = TempDir::new().unwrap();
    let options =
        Options { max_file_bytes: 1500, max_total_bytes: 8000, max_files: 6, ..Options::default() };
    let mut solo_owner = Log::open(dir.path(), options.clone(), at(0)).unwrap();
    let mut living = Log::open(dir.path(), options.clone(), at(0)).unwrap();
    let mut finished = Log::open(dir.path(), options, at(0)).unwrap();
    living.append(&record(0)).unwrap();
    finished.append(&record(0)).unwrap();
    let (living_path, finished_path) = (living.path().to_owned(), finished.path().to_owned());
    drop(finished);
    for n in 0..40 {
        solo_owner.append(&record(1000 * n)).unwrap();
    }
    assert!(living_path.exists() && !finished_path.exists());
    let files = files::list(dir.path()).unwrap();
    assert!(files.len() <= 6, "{}", files.len());
    let report = verify(dir.path()).unwrap();
    assert!(report.is_intact(), "{report:?}");
    assert!(report.streams[0].first_seq > Some(1));
    living.append(&record(50_000)).unwrap();
    assert_eq!(find(dir.path(), "0190a1b2-50000").unwrap().len(), 1);
}

#[test]
fn a_last_line_that_was_changed_starts_the_chain_anew() {
    let (dir, path) = five();
    let mut all = lines(&path);
    *all.last_mut().unwrap() = b"garbage\n".to_vec();
    fs::write(&path, all.concat()).unwrap();
    let mut log = open(dir.path());
    log.append(&record(9)).unwrap();
    assert_ne!(log.path(), path);
    assert_eq!(tail(dir.path(), 1).unwrap()[0].record.time, at(9));
    let problem = verify(dir.path()).unwrap().streams.remove(0).problem.unwrap();
    assert_eq!((problem.reason, problem.line), (Reason::Changed, 6));
}

#[test]
fn a_file_without_a_whole_line_is_set_aside() {
    let (dir, path) = five();
    let empty = Segment::new(dir.path(), files::MAIN, at(60_000), 2);
    for text in ["", "{\"seq\":7,\"event\":\"sta"] {
        fs::write(&empty.path, text).unwrap();
        let mut log = open(dir.path());
        assert_eq!(log.path(), path);
        log.append(&record(9)).unwrap();
    }
    let torn = fs::read_to_string(dir.path().join("main.torn")).unwrap();
    assert_eq!(torn, "{\"seq\":7,\"event\":\"sta");
    let report = verify(dir.path()).unwrap();
    assert!(report.is_intact(), "{report:?}");
    assert_eq!((report.records(), report.streams[0].torn), (7, 1));
}

#[test]
fn the_end_is_found_behind_a_line_longer_than_a_block() {
    let dir = TempDir::new().unwrap();
    let payload = format!("\"{}\"", "x".repeat(300_000));
    let long = Record { payload: Payload::new(payload.as_bytes(), 1 << 20), ..record(0) };
    open(dir.path()).append(&long).unwrap();
    let mut log = open(dir.path());
    log.append(&record(1)).unwrap();
    assert!(verify(dir.path()).unwrap().is_intact());
    let entries = tail(dir.path(), 2).unwrap();
    assert_eq!(entries[0].record.payload.as_ref().unwrap().get().len(), 300_002);
}

#[test]
fn a_follower_sees_what_is_appended() {
    let (dir, _) = five();
    let mut follower = Follower::from_end(dir.path()).unwrap();
    assert!(follower.look().unwrap().is_empty());
    let mut log = open(dir.path());
    let mut solo = open(dir.path());
    solo.append(&record(6)).unwrap();
    log.append(&record(5)).unwrap();
    let seen: Vec<_> = follower.look().unwrap().iter().map(|e| e.record.time).collect();
    assert_eq!(seen, [at(5), at(6)]);
    log.rotate(at(7)).unwrap();
    log.append(&record(8)).unwrap();
    assert_eq!(follower.look().unwrap().len(), 1);
    assert!(follower.look().unwrap().is_empty());
}

#[test]
fn what_is_not_ours_is_left_alone() {
    let (dir, _) = five();
    for name in ["notes.jsonl", "main-x-1.jsonl", "other-20261124T114000Z-00000001.jsonl", "a.txt"]
    {
        fs::write(dir.path().join(name), "x").unwrap();
    }
    fs::create_dir(dir.path().join("main-20261124T114000Z-00000009.jsonl")).unwrap();
    let options = Options { max_total_bytes: 0, max_files: 0, ..Options::default() };
    let _log = Log::open(dir.path(), options, at(0)).unwrap();
    assert!(dir.path().join("notes.jsonl").exists());
    assert_eq!(verify(dir.path()).unwrap().records(), 5);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_changed_byte_is_noticed(place in any::<prop::sample::Index>(), bits in 1u8..) {
        let (dir, path) = five();
        let mut text = fs::read(&path).unwrap();
        let place = place.index(text.len());
        text[place] ^= bits;
        fs::write(&path, &text).unwrap();
        prop_assert!(reason(dir.path()).is_some(), "byte {place} ^ {bits}");
    }

    #[test]
    fn a_removed_line_is_noticed(first in 0usize..5, count in 1usize..3) {
        let (dir, path) = five();
        let mut all = lines(&path);
        let last = (first + count).min(5);
        all.drain(first..last);
        fs::write(&path, all.concat()).unwrap();
        prop_assert_eq!(reason(dir.path()), Some(Reason::Removed));
    }

    #[test]
    fn a_moved_line_is_noticed(from in 1usize..6, to in 1usize..6) {
        prop_assume!(from != to);
        let (dir, path) = five();
        let mut all = lines(&path);
        let line = all.remove(from);
        all.insert(to, line);
        fs::write(&path, all.concat()).unwrap();
        prop_assert_eq!(reason(dir.path()), Some(Reason::Reordered));
    }

    #[test]
    fn a_repeated_line_is_noticed(from in 0usize..6, to in 1usize..7) {
        let (dir, path) = five();
        let mut all = lines(&path);
        all.insert(to, all[from].clone());
        fs::write(&path, all.concat()).unwrap();
        prop_assert_eq!(reason(dir.path()), Some(Reason::Reordered));
    }

    #[test]
    fn a_crash_anywhere_in_a_write_is_survived(
        place in any::<prop::sample::Index>(),
        junk in proptest::collection::vec(any::<u8>().prop_filter("no break", |b| *b != b'\n'), 0..40),
    ) {
        let (dir, path) = five();
        let text = fs::read(&path).unwrap();
        let place = place.index(text.len() + 1);
        let kept = text[..place].iter().filter(|b| **b == b'\n').count();
        fs::write(&path, [&text[..place], &junk[..]].concat()).unwrap();
        let half = !junk.is_empty() || text[..place].last().is_some_and(|b| *b != b'\n');

        let mut log = open(dir.path());
        log.append(&record(9)).unwrap();
        let report = verify(dir.path()).unwrap();
        prop_assert!(report.is_intact(), "{:?}", report);
        prop_assert_eq!(report.records(), u64::try_from(kept.saturating_sub(1)).unwrap() + 1);
        prop_assert_eq!(report.streams[0].torn, u64::from(half));
    }

    #[test]
    fn any_bytes_can_be_read(text in proptest::collection::vec(any::<u8>(), 0..600)) {
        let dir = TempDir::new().unwrap();
        let segment = Segment::new(dir.path(), files::MAIN, at(0), 1);
        fs::write(&segment.path, &text).unwrap();
        verify(dir.path()).unwrap();
        prop_assert!(tail(dir.path(), 10).unwrap().is_empty());
        prop_assert!(find(dir.path(), "x").unwrap().is_empty());
        let mut log = open(dir.path());
        log.append(&record(1)).unwrap();
        prop_assert_eq!(tail(dir.path(), 10).unwrap().len(), 1);
    }
}
