use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;
use crate::{
    frame::{Frame, FrameReader},
    stdio::Stream,
};

/// The most of one line that is kept in these tests.
const LONGEST: u64 = 1 << 20;

/// What a shim holds, and what the supervisor gets of it.
fn handed_over(kept: &Kept) -> Opened {
    let [journal, said] = kept.descriptors().map(|fd| fd.try_clone_to_owned().unwrap());
    Kept::from_descriptors([journal, said]).open(LONGEST).unwrap()
}

fn pipe() -> (Stream, Stream) {
    let (read, write) = rustix::pipe::pipe().unwrap();
    (Stream::new(read).unwrap(), Stream::new(write).unwrap())
}

/// A reading end that can be read by one supervisor after the other.
fn client() -> (OwnedFd, Stream) {
    let (read, write) = rustix::pipe::pipe().unwrap();
    (read, Stream::new(write).unwrap())
}

fn again(fd: &OwnedFd) -> Stream {
    Stream::new(fd.try_clone().unwrap()).unwrap()
}

/// Reads what is there by way of the inbox and is gone, having acted on the first `acts` lines.
async fn read_and_die(kept: &Kept, input: &OwnedFd, lines: usize, acts: usize) {
    let Opened { acted, inbox, .. } = handed_over(kept);
    let mut position = acted.get();
    let input = KeptInput::new(again(input), Some(inbox)).unwrap();
    let mut frames = FrameReader::with_limit(input, LONGEST as usize);
    for line in 0..lines {
        let Some(Frame::Message(bytes)) = frames.next().await.unwrap() else { panic!("a line") };
        position += bytes.len() as u64;
        if line < acts {
            acted.set(position);
        }
    }
}

async fn rest(kept: &Kept, input: &OwnedFd) -> Vec<u8> {
    let Opened { inbox, .. } = handed_over(kept);
    let mut bytes = Vec::new();
    KeptInput::new(again(input), Some(inbox)).unwrap().read_to_end(&mut bytes).await.unwrap();
    bytes
}

fn lines(count: usize, size: usize) -> Vec<u8> {
    (0..count).flat_map(|n| format!("{n}{}\n", "x".repeat(size)).into_bytes()).collect()
}

/// A client says lines; each reader reads some, acts on some of them, and dies. The last one gets
/// every byte that nobody acted on.
async fn check(bytes: Vec<u8>, readers: &[(usize, usize)]) {
    let kept = Kept::new().unwrap();
    let (input, mut client) = client();
    let all = bytes.clone();
    let client = tokio::spawn(async move { client.write_all(&all).await.unwrap() });
    let mut acted = 0;
    for (reads, acts) in readers {
        read_and_die(&kept, &input, *reads, *acts).await;
        acted += acts;
    }
    let rest = rest(&kept, &input).await;
    client.await.unwrap();
    let mut expected = &bytes[..];
    for _ in 0..acted {
        let end = memchr::memchr(b'\n', expected).unwrap();
        expected = &expected[end + 1..];
    }
    assert!(rest == expected, "{} bytes instead of {}", rest.len(), expected.len());
}

#[tokio::test]
async fn what_was_read_and_not_acted_on_is_read_again() {
    check(lines(20, 10), &[(5, 3), (4, 4), (1, 0)]).await;
}

#[tokio::test]
async fn long_lines_are_laid_aside_and_found_again() {
    for size in [HALF - 2, HALF - 1, HALF, HALF + 1, 3 * HALF, 300_000] {
        check(lines(6, size), &[(2, 1), (2, 0), (2, 2)]).await;
    }
}

#[tokio::test]
async fn a_line_that_is_longer_than_any_may_be_takes_no_more_than_its_beginning() {
    let kept = Kept::new().unwrap();
    let (input, mut client) = client();
    let long = lines(1, 4 << 20);
    let client = tokio::spawn(async move { client.write_all(&long).await.unwrap() });
    let Opened { inbox, .. } = handed_over(&kept);
    let input = KeptInput::new(again(&input), Some(inbox)).unwrap();
    let mut frames = FrameReader::with_limit(input, LONGEST as usize);
    assert!(matches!(frames.next().await.unwrap(), Some(Frame::TooLong { .. })));
    client.await.unwrap();
    let size = kept.journal.metadata().unwrap().len();
    assert!(size <= ASIDE + LONGEST, "{size}");
}

#[tokio::test]
async fn what_was_said_reaches_the_client_whoever_hands_it_over() {
    let kept = Kept::new().unwrap();
    let (mut read, write) = pipe();
    let write = write.into_blocking().await.unwrap();
    let (first, second) = (lines(40_000, 10), lines(3, 10));
    let mut outbox = handed_over(&kept).outbox;
    outbox.say(&first, 0).unwrap();
    let mut stream = again(&write);
    // The pipe takes some of it, and we are killed.
    std::future::poll_fn(|cx| {
        assert!(outbox.poll_hand_over(&mut stream, cx).is_pending());
        std::task::Poll::Ready(())
    })
    .await;
    drop((outbox, stream));
    let mut outbox = handed_over(&kept).outbox;
    assert!(!outbox.is_empty() && outbox.read().unwrap() == first);
    outbox.say(&second, 0).unwrap();
    let mut stream = again(&write);
    drop(write);
    let hand_over = tokio::spawn(async move {
        std::future::poll_fn(|cx| outbox.poll_hand_over(&mut stream, cx)).await.unwrap();
        outbox.empty().unwrap();
        outbox.say(b"more\n", 0).unwrap();
        std::future::poll_fn(|cx| outbox.poll_hand_over(&mut stream, cx)).await.unwrap();
        outbox
    });
    let mut got = Vec::new();
    read.read_to_end(&mut got).await.unwrap();
    assert!(got == [&first[..], &second, b"more\n"].concat(), "{} bytes", got.len());
    let outbox = hand_over.await.unwrap();
    assert!(outbox.is_empty() && outbox.length() == 5);
}

#[tokio::test]
async fn an_outbox_that_was_about_to_be_emptied_is_empty() {
    let kept = Kept::new().unwrap();
    let (mut read, mut write) = pipe();
    let Opened { mut outbox, .. } = handed_over(&kept);
    outbox.say(b"old\n", 0).unwrap();
    std::future::poll_fn(|cx| outbox.poll_hand_over(&mut write, cx)).await.unwrap();
    // As far as `empty` comes before it is killed.
    handed_over(&kept).acted.0.set(Word::Said, 0);
    let mut outbox = handed_over(&kept).outbox;
    assert!(outbox.is_empty() && outbox.length() == 0);
    outbox.say(b"new\n", 0).unwrap();
    std::future::poll_fn(|cx| outbox.poll_hand_over(&mut write, cx)).await.unwrap();
    let mut got = [0; 8];
    read.read_exact(&mut got).await.unwrap();
    assert_eq!(&got, b"old\nnew\n");
}

#[test]
fn an_answer_of_our_own_settles_what_it_answers() {
    let kept = Kept::new().unwrap();
    let Opened { mut outbox, .. } = handed_over(&kept);
    outbox.say(b"refused\n", 70).unwrap();
    assert_eq!(handed_over(&kept).acted.get(), 70);
    outbox.say(b"of the server\n", 0).unwrap();
    assert_eq!(handed_over(&kept).acted.get(), 70);
}

#[test]
fn notes_are_there_whole_or_not_at_all() {
    let kept = Kept::new().unwrap();
    let mut notes = handed_over(&kept).notes;
    for note in ["one\n", "two\n"] {
        notes.append(note.as_bytes()).unwrap();
    }
    assert_eq!(handed_over(&kept).notes.read().unwrap(), b"one\ntwo\n");
    notes.replace(b"three\n").unwrap();
    notes.append(b"four\n").unwrap();
    assert_eq!(handed_over(&kept).notes.read().unwrap(), b"three\nfour\n");
    notes.replace(b"five\n").unwrap();
    assert_eq!(handed_over(&kept).notes.read().unwrap(), b"five\n");
    assert!(notes.append(&vec![b'x'; MAX_NOTES as usize]).is_err());
    assert_eq!(handed_over(&kept).notes.read().unwrap(), b"five\n");
    notes.clear();
    assert!(handed_over(&kept).notes.read().unwrap().is_empty());
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_that_could_shrink_or_is_too_short_is_refused() {
    for length in [0, MAPPED as u64] {
        let [file, said] = [(); 2].map(|()| tempfile::tempfile().unwrap());
        file.set_len(length).unwrap();
        assert!(Kept::from_descriptors([file.into(), said.into()]).open(LONGEST).is_err());
    }
    let short = anonymous("short").unwrap();
    seal(&short).unwrap();
    let said = tempfile::tempfile().unwrap();
    assert!(Kept::from_descriptors([short.into(), said.into()]).open(LONGEST).is_err());
    let kept = Kept::new().unwrap();
    assert!(kept.journal.set_len(0).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_byte_is_lost_or_read_twice(
        sizes in proptest::collection::vec(prop_oneof![0usize..200, 0usize..200_000], 1..12),
        readers in proptest::collection::vec((0usize..5, 0usize..5), 0..5),
    ) {
        let bytes: Vec<u8> = sizes.iter().flat_map(|size| lines(1, *size)).collect();
        let mut left = sizes.len();
        let mut plan = Vec::new();
        for (reads, acts) in readers {
            let reads = reads.min(left);
            let acts = acts.min(reads);
            left -= acts;
            plan.push((reads, acts));
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(check(bytes, &plan));
    }
}
