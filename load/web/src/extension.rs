//! Routes of the locustfile's own: its Flask application stands in front of the page.
//!
//! ```text
//! browser -> guard -> flask.sock: the locustfile's hooks, routes and login
//!                         -> page.sock: the page as it is without them
//! ```
//!
//! Both sockets are in a folder that nobody but the user may enter, so what comes
//! through `page.sock` has been let in already. Scripts, styles and streams of the
//! page do not take the way round.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use log::error;
use serde_json::{Map, Value};
use tokio::net::{UnixListener, UnixStream};

use crate::answers::json;
use crate::index;
use crate::login_form::LoginForm;
use crate::routes::{Page, document, page_routes};
use crate::shared::Shared;

/// How long the locustfile's application may take for the head of an answer.
const PATIENCE: Duration = Duration::from_secs(60);
/// Headers that hold for one connection only (RFC 9110, section 7.6.1).
const HOP_BY_HOP: [header::HeaderName; 4] = [
    header::CONNECTION,
    header::TRANSFER_ENCODING,
    header::TE,
    header::UPGRADE,
];

/// What a locustfile puts in front of the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extension {
    /// The folder of the two sockets.
    pub folder: PathBuf,
    /// Whether it logs people in itself, so that `--web-login` asks for no password.
    pub logs_in: bool,
}

/// Marks an answer of the locustfile's, whose page may load what it likes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ByLocustfile;

/// Asks the locustfile's application first, where there is one.
pub(crate) async fn ask_first(State(page): Page, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let path = path.strip_prefix(&*page.base_path).unwrap_or(path);
    let direct = path.starts_with("/live/") || path.starts_with("/assets/");
    match &page.settings.extension {
        Some(extension) if !direct => forward(&extension.folder, request).await,
        _ => next.run(request).await,
    }
}

async fn forward(folder: &Path, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    let limited = Request::from_parts(parts.clone(), body);
    let body = match Bytes::from_request(limited, &()).await {
        Ok(body) => body,
        Err(refusal) => return refusal.into_response(),
    };
    remove_hop_by_hop(&mut parts.headers);
    parts.headers.remove(header::CONTENT_LENGTH);
    let request = Request::from_parts(parts, Body::from(body));
    match tokio::time::timeout(PATIENCE, exchange(&folder.join("flask.sock"), request)).await {
        Ok(Ok(mut response)) => {
            remove_hop_by_hop(response.headers_mut());
            response.extensions_mut().insert(ByLocustfile);
            response
        }
        Ok(Err(problem)) => {
            error!(target: "locust.web", "The locustfile's application does not answer: {problem}");
            let text = "The locustfile's application does not answer.\n";
            (StatusCode::BAD_GATEWAY, text).into_response()
        }
        Err(_) => {
            let text = "The locustfile's application takes too long.\n";
            (StatusCode::GATEWAY_TIMEOUT, text).into_response()
        }
    }
}

async fn exchange(
    socket: &Path,
    request: Request,
) -> Result<Response, Box<dyn std::error::Error + Send + Sync>> {
    let stream = UnixStream::connect(socket).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(async move {
        if let Err(problem) = connection.await {
            error!(target: "locust.web", "An answer of the locustfile's application broke off: {problem}");
        }
    });
    Ok(sender.send_request(request).await?.map(Body::new))
}

fn remove_hop_by_hop(headers: &mut HeaderMap) {
    for name in HOP_BY_HOP {
        headers.remove(name);
    }
}

/// Serves the page to the locustfile's application, until the runtime ends.
pub(crate) fn serve(
    extension: &Extension,
    shared: std::sync::Arc<Shared>,
) -> io::Result<impl Future<Output = io::Result<()>> + use<>> {
    let routes = Router::new()
        .route("/extension/arguments", get(arguments))
        .route("/extension/page", post(page))
        .route("/extension/login", post(login))
        .merge(page_routes(&shared.base_path))
        .with_state(shared);
    let listener = UnixListener::bind(extension.folder.join("page.sock"))?;
    Ok(async move { axum::serve(listener, routes).await })
}

/// What the page is made of, for `web_ui.update_template_args()`.
async fn arguments(State(page): Page) -> Response {
    json(StatusCode::OK, &index::template_args(&page))
}

/// The page, with `web_ui.template_args` over its own.
async fn page(State(page): Page, axum::Json(changes): axum::Json<Map<String, Value>>) -> Response {
    document(StatusCode::OK, index::page(&page, changes), "")
}

/// The login page that `web_ui.auth_args` describes.
async fn login(State(page): Page, axum::Json(wanted): axum::Json<LoginForm>) -> Response {
    document(StatusCode::OK, index::login(&page, &wanted), "")
}
