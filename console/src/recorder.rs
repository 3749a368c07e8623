//! The recorder behind every metric.
//!
//! - Owns: the process's one recorder.
//! - Emits: the handle that renders it.

use defenter_actors::metrics::{SCAN, SCAN_BUCKETS, SECONDS_BUCKETS, describe_all};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

/// Why there is no recorder.
#[derive(Debug, thiserror::Error)]
#[error("failed to set up metrics; a process can do so only once")]
pub struct RecorderError(#[from] BuildError);

/// Installs the recorder for this process, with the histograms' buckets, and describes every
/// metric. Handles that were made before stay without effect, so call it first.
///
/// # Errors
/// Where a recorder is installed already.
pub fn install_recorder() -> Result<PrometheusHandle, RecorderError> {
    let handle = builder()?.install_recorder()?;
    describe_all();
    Ok(handle)
}

/// The recorder's settings, apart from being global.
pub(crate) fn builder() -> Result<PrometheusBuilder, RecorderError> {
    let scans = Matcher::Full(SCAN.to_owned());
    let builder = PrometheusBuilder::new().set_buckets(&SECONDS_BUCKETS)?;
    Ok(builder.set_buckets_for_metric(scans, &SCAN_BUCKETS)?)
}
