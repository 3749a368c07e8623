//! The listener and its connections.
//!
//! - Owns: the accept loop, one task per connection, and the recorder's upkeep.
//! - Accepts: HTTP/1.1 on a loopback address.
//! - Dies when: `stop` is ready (open connections finish the request they are in) or the future is
//!   dropped (they are cut).
//! - Promises: at most [`MAX_CONNECTIONS`] at a time, each for at most [`MAX_CONNECTION_TIME`]; one
//!   scrape is rendered at a time.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, HttpBody as _};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use defenter_actors::metrics::ProcessFigures;
use defenter_actors::status::StatusView;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use crate::guard::Names;
use crate::page::{self, Health};
use crate::{StatusSource, exposition};

/// How many connections are open at a time; a further one waits to be accepted.
pub const MAX_CONNECTIONS: usize = 64;
/// How long the head of a request may take, the wait for the next one on the same connection
/// included.
pub const HEADER_READ_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a connection lasts, however busy it is.
pub const MAX_CONNECTION_TIME: Duration = Duration::from_secs(120);
/// How long the head of a request may be, in bytes.
pub const MAX_HEADER_BYTES: usize = 16 * 1024;

/// How long the status may take before it counts as unknown.
pub const STATUS_TIMEOUT: Duration = Duration::from_secs(2);

/// How long a connection may go on with the request it is in once it is asked to end.
const LAST_REQUEST_TIME: Duration = Duration::from_secs(5);
/// How often the recorder is relieved of its samples. Without it, 800 000 samples made one scrape
/// take 217 ms.
const UPKEEP_PERIOD: Duration = Duration::from_secs(5);
/// How long to wait after `accept` failed, as it does when descriptors run out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

const POLICY: &str = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// Why the console does not run.
#[derive(Debug, thiserror::Error)]
pub enum ConsoleError {
    /// The address is reachable from other machines.
    #[error("the console does not listen on {0}: only loopback addresses, such as 127.0.0.1, are")]
    NotLoopback(SocketAddr),
    /// The address cannot be had.
    #[error(
        "failed to listen on {address} for the console; if another program has the port, \
         set `console.listen` to another one"
    )]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The listener does not know its address.
    #[error("failed to find out the console's own address")]
    Address(#[source] io::Error),
}

/// What a request is answered from.
struct Shared {
    status: Arc<dyn StatusSource>,
    metrics: PrometheusHandle,
    names: Names,
    scrape: Mutex<()>,
}

/// Listens on a loopback address.
///
/// # Errors
/// Where the address is not a loopback address, or cannot be had.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, ConsoleError> {
    loopback(address)?;
    TcpListener::bind(address).await.map_err(|source| ConsoleError::Bind { address, source })
}

/// Answers on `listener` until `stop` is ready.
///
/// # Errors
/// Where `listener` is not on a loopback address.
pub async fn serve(
    listener: TcpListener,
    status: Arc<dyn StatusSource>,
    metrics: PrometheusHandle,
    stop: impl Future<Output = ()> + Send,
) -> Result<(), ConsoleError> {
    let address = listener.local_addr().map_err(ConsoleError::Address)?;
    loopback(address)?;
    tracing::info!(%address, "the console listens");
    let shared = Arc::new(Shared {
        status,
        metrics: metrics.clone(),
        names: Names::of(address),
        scrape: Mutex::new(()),
    });
    let router = router(shared);
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let (stopping, stopped) = watch::channel(false);
    let mut connections = JoinSet::new();
    let mut upkeep = interval(UPKEEP_PERIOD);
    upkeep.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut stop = pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => break,
            (stream, place) = accept(&listener, &places) => {
                connections.spawn(connection(stream, router.clone(), stopped.clone(), place));
            }
            Some(_) = connections.join_next() => {}
            _ = upkeep.tick() => {
                let metrics = metrics.clone();
                // It may take a while, and nobody waits for it.
                drop(tokio::task::spawn_blocking(move || metrics.run_upkeep()));
            }
        }
    }
    drop(listener);
    // It fails only if no connection is left to be told.
    let _ = stopping.send(true);
    while connections.join_next().await.is_some() {}
    Ok(())
}

fn loopback(address: SocketAddr) -> Result<(), ConsoleError> {
    if address.ip().is_loopback() { Ok(()) } else { Err(ConsoleError::NotLoopback(address)) }
}

/// The next connection, once there is a place for it.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> (TcpStream, Option<OwnedSemaphorePermit>) {
    // The semaphore is never closed, so there always is a place in the end.
    let place = Arc::clone(places).acquire_owned().await.ok();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return (stream, place),
            Err(error) => {
                tracing::warn!(%error, "the console failed to accept a connection");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn connection(
    stream: TcpStream,
    router: Router,
    mut stopped: watch::Receiver<bool>,
    _place: Option<OwnedSemaphorePermit>,
) {
    let mut served = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_READ_TIMEOUT)
            .max_header_size(MAX_HEADER_BYTES)
            .max_buf_size(MAX_HEADER_BYTES)
            .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router))
    );
    tokio::select! {
        result = &mut served => {
            if let Err(error) = result {
                tracing::debug!(%error, "a connection to the console ended badly");
            }
            return;
        }
        _ = stopped.wait_for(|stopped| *stopped) => {}
        () = sleep(MAX_CONNECTION_TIME) => {}
    }
    served.as_mut().graceful_shutdown();
    // Whoever does not read the answer in time is cut off.
    let _ = timeout(LAST_REQUEST_TIME, served).await;
}

fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/", get(index))
        .route("/style.css", get(style))
        .route("/healthz", get(healthz))
        .route("/metrics", get(scrape))
        .fallback(async || (StatusCode::NOT_FOUND, "no such page\n"))
        .layer(from_fn_with_state(Arc::clone(&shared), guard))
        .with_state(shared)
}

async fn guard(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let checked = shared.names.check(&parts, !body.is_end_stream());
    drop(body);
    let mut response = match checked {
        Ok(()) => next.run(Request::from_parts(parts, Body::empty())).await,
        Err(refusal) => refusal.answer().into_response(),
    };
    let headers = response.headers_mut();
    for (name, value) in [
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "no-referrer"),
        (RESOURCE_POLICY, "same-origin"),
        (CACHE_CONTROL, "no-store"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

async fn index(State(shared): State<Arc<Shared>>) -> Response {
    match shared.status().await {
        Some(status) => typed("text/html; charset=utf-8", page::render(&status)),
        None => unknown("text/plain; charset=utf-8", "the supervisor is starting or stopping\n"),
    }
}

async fn style() -> Response {
    typed("text/css; charset=utf-8", page::STYLE)
}

async fn healthz(State(shared): State<Arc<Shared>>) -> Response {
    let Some(status) = shared.status().await else {
        return unknown("application/json", "{\"ok\":false}\n");
    };
    match serde_json::to_string(&Health::of(&status)) {
        Ok(json) => typed("application/json", json + "\n"),
        Err(error) => failed(&error),
    }
}

/// What was counted is worth a scrape even where the status is unknown.
async fn scrape(State(shared): State<Arc<Shared>>) -> Response {
    let _one_at_a_time = shared.scrape.lock().await;
    let status = shared.status().await;
    let metrics = shared.metrics.clone();
    let rendered = tokio::task::spawn_blocking(move || {
        metrics.render() + &exposition::render(status.as_ref(), &ProcessFigures::read())
    });
    match rendered.await {
        Ok(text) => typed(exposition::CONTENT_TYPE, text),
        Err(error) => failed(&error),
    }
}

fn typed(content_type: &'static str, body: impl Into<Body>) -> Response {
    ([(CONTENT_TYPE, HeaderValue::from_static(content_type))], body.into()).into_response()
}

fn unknown(content_type: &'static str, body: &'static str) -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, typed(content_type, body)).into_response()
}

fn failed(error: &dyn std::fmt::Display) -> Response {
    tracing::error!(%error, "the console failed to answer");
    (StatusCode::INTERNAL_SERVER_ERROR, "failed to answer; see the log\n").into_response()
}

impl Shared {
    async fn status(&self) -> Option<StatusView> {
        timeout(STATUS_TIMEOUT, self.status.status()).await.ok().flatten()
    }
}
