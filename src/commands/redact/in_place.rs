//! The redacted copy in the place of a file.
//!
//! Owns: the draft beside the file. Accepts: a file of one name. Emits: the file, changed.
//! Promises: the file is the old one or the new one at every moment, with the same owner and mode;
//! one in which nothing was found is not touched; where something fails, nothing is changed and
//! nothing is left beside it.

use std::{
    fs::{self, File, Metadata, OpenOptions},
    io::{self, BufWriter},
    path::{Path, PathBuf},
};

use defenter_redact::Redactor;

use super::{
    STDIN,
    pass::{Output, Pass, Stop},
    report::Report,
};
use crate::{Exit, failure::Failure, terminal::plain};

/// A file beside the one that it is to replace; removed unless it does.
struct Draft {
    path: PathBuf,
    kept: bool,
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.kept {
            let _ = fs::remove_file(&self.path);
        }
    }
}

pub(super) fn redact(
    redactor: &Redactor,
    file: &Path,
    report: Option<Report>,
) -> Result<bool, Stop> {
    let fail = |why: String| {
        let name = plain(&file.display().to_string());
        Stop::Failed(Failure::new(Exit::Failed, format!("failed to redact {name} in place: {why}")))
    };
    let failed = |error: io::Error| fail(error.to_string());
    if file == Path::new(STDIN) {
        return Err(fail("it has no place".to_owned()));
    }
    let before = fs::symlink_metadata(file).map_err(failed)?;
    if let Some(why) = why_not(&before) {
        return Err(fail(why.to_owned()));
    }
    let name = file.file_name().ok_or_else(|| fail("it has no name".to_owned()))?;
    let draft = format!(".{}.{}", name.to_string_lossy(), uuid::Uuid::new_v4());
    let mut draft = Draft { path: file.with_file_name(draft), kept: false };
    let copy = private().open(&draft.path).map_err(failed)?;
    let output = Output::new(Some(Box::new(BufWriter::new(&copy))), report);
    let path = file.to_string_lossy();
    let mut input = File::open(file).map_err(failed)?;
    let opened = input.metadata().map_err(failed)?;
    if !Pass::new(redactor, Some(&path), output).run(&mut input, file)? {
        return Ok(false);
    }
    keep_owner(&copy, &opened).map_err(failed)?;
    copy.set_permissions(opened.permissions()).map_err(failed)?;
    copy.sync_all().map_err(failed)?;
    let after = fs::symlink_metadata(file).map_err(failed)?;
    if !is_same(&before, &opened) || !is_same(&opened, &after) {
        return Err(fail("somebody else changed it meanwhile".to_owned()));
    }
    fs::rename(&draft.path, file).map_err(failed)?;
    draft.kept = true;
    Ok(true)
}

/// Why a file cannot be replaced by another, where that is so.
fn why_not(metadata: &Metadata) -> Option<&'static str> {
    if metadata.is_symlink() {
        return Some("it is a link; name the file that it leads to");
    }
    if !metadata.is_file() {
        return Some("it is no file");
    }
    has_more_names(metadata)
        .then_some("it has more than one name, and the others would keep the old")
}

#[cfg(unix)]
fn has_more_names(metadata: &Metadata) -> bool {
    std::os::unix::fs::MetadataExt::nlink(metadata) > 1
}

#[cfg(not(unix))]
fn has_more_names(_metadata: &Metadata) -> bool {
    false
}

#[cfg(unix)]
fn private() -> OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    options
}

#[cfg(not(unix))]
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    options
}

/// Gives the copy the owner of the file, where it is another.
#[cfg(unix)]
fn keep_owner(copy: &File, of: &Metadata) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, fchown};
    let own = copy.metadata()?;
    if (own.uid(), own.gid()) == (of.uid(), of.gid()) {
        return Ok(());
    }
    fchown(copy, Some(of.uid()), Some(of.gid()))
}

#[cfg(not(unix))]
fn keep_owner(_copy: &File, _of: &Metadata) -> io::Result<()> {
    Ok(())
}

/// Whether a file is the same, with the same content as far as its times and length tell.
fn is_same(one: &Metadata, other: &Metadata) -> bool {
    let times = |metadata: &Metadata| (metadata.len(), metadata.modified().ok());
    times(one) == times(other) && is_same_file(one, other)
}

#[cfg(unix)]
fn is_same_file(one: &Metadata, other: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

#[cfg(not(unix))]
fn is_same_file(_one: &Metadata, _other: &Metadata) -> bool {
    true
}
