//! Which path does what, and what holds for every one of them.

use std::sync::Arc;

use acrida_report::locust_json;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, FromRequest, Multipart, Query, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::{Map, json};

use crate::answers::{attachment, html, json, json_text, with_body};
use crate::downloads::{self, Table};
use crate::extension::{ByLocustfile, ask_first};
use crate::guard::From;
use crate::index::{self, Document};
use crate::login::COOKIE;
use crate::login_form::LoginForm;
use crate::shared::Shared;
use crate::{assets, live, report, steering};

/// The longest body of a request, in bytes.
const BODY_MAX: usize = 1 << 20;

pub(crate) type Page = State<Arc<Shared>>;

/// Everything, behind what keeps strangers out.
pub(crate) fn router(shared: Arc<Shared>) -> Router {
    page_routes(&shared.base_path)
        .layer(from_fn_with_state(Arc::clone(&shared), ask_first))
        .layer(from_fn_with_state(Arc::clone(&shared), require_login))
        .layer(from_fn_with_state(Arc::clone(&shared), require_own_name))
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .with_state(shared)
}

/// What is served, whoever asks.
pub(crate) fn page_routes(base: &str) -> Router<Arc<Shared>> {
    let routes = Router::new()
        .route("/", get(page))
        .route("/swarm", post(swarm))
        .route("/stop", get(stop).post(stop))
        .route("/stats/reset", get(reset).post(reset))
        .route("/stats/requests", get(stats_requests))
        .route(
            "/stats/requests/csv",
            get(async |State(page): Page| downloads::csv(&page, Table::Requests)),
        )
        .route(
            "/stats/failures/csv",
            get(async |State(page): Page| downloads::csv(&page, Table::Failures)),
        )
        .route(
            "/exceptions/csv",
            get(async |State(page): Page| downloads::csv(&page, Table::Exceptions)),
        )
        .route(
            "/stats/requests_full_history/csv",
            get(async |State(page): Page| downloads::full_history(&page).await),
        )
        .route("/stats/report", get(stats_report))
        .route("/exceptions", get(exceptions))
        .route("/tasks", get(tasks))
        .route("/logs", get(logs))
        .route("/worker-count", get(worker_count))
        .route("/user", post(user))
        .route("/login", get(login_page).post(login))
        .route("/assets/{*path}", get(assets::serve))
        .route("/live/events", get(live::events))
        .route("/live/history", get(live::history))
        .route("/live/occurrences", get(live::occurrences));
    if base.is_empty() {
        routes
    } else {
        Router::new()
            .route(&format!("{base}/"), get(page))
            .nest(base, routes)
    }
}

/// Refuses requests that were not meant for this server, or come from another page;
/// and tells browsers what an answer may do.
async fn require_own_name(State(page): Page, request: Request, next: Next) -> Response {
    let host = text_of(request.headers(), header::HOST)
        .unwrap_or_default()
        .to_owned();
    if !page.names.allow(&host) {
        let text = "This server does not go by that name; --web-host-display-name makes it one of its own.\n";
        return (StatusCode::MISDIRECTED_REQUEST, text).into_response();
    }
    let from = From {
        host: &host,
        origin: text_of(request.headers(), header::ORIGIN),
        fetch_site: request
            .headers()
            .get("sec-fetch-site")
            .and_then(|value| value.to_str().ok()),
    };
    let path = request
        .uri()
        .path()
        .strip_prefix(&*page.base_path)
        .unwrap_or_default();
    let changes = !request.method().is_safe() || matches!(path, "/stop" | "/stats/reset");
    if changes && !from.may_change() {
        return (
            StatusCode::FORBIDDEN,
            "Another page may not change this test.\n",
        )
            .into_response();
    }
    let from_a_page = from.origin.is_some();
    let asks_for_methods = request.method() == Method::OPTIONS;
    let mut response = next.run(request).await;
    if asks_for_methods && response.status() == StatusCode::METHOD_NOT_ALLOWED {
        *response.status_mut() = StatusCode::OK;
    }
    if response.extensions().get::<ByLocustfile>().is_none() {
        restrict(response.headers_mut());
    }
    add_headers(response.headers_mut(), from_a_page);
    response
}

/// Lets a page load nothing from elsewhere, if it does not say so itself.
fn restrict(headers: &mut HeaderMap) {
    const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                          connect-src 'self'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'";
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(HeaderValue::from_static(POLICY));
}

fn add_headers(headers: &mut HeaderMap, from_a_page: bool) {
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        // Not "no-referrer": a form would then be sent without its origin.
        (header::REFERRER_POLICY, "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    // Locust sends this with everything, and scripts may look for it. A browser, for
    // which alone it means something, says whose page asks: to those it is not said.
    if !from_a_page {
        headers.insert(
            header::ACCESS_CONTROL_ALLOW_ORIGIN,
            HeaderValue::from_static("*"),
        );
    }
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
}

async fn require_login(State(page): Page, request: Request, next: Next) -> Response {
    let path = request
        .uri()
        .path()
        .strip_prefix(&*page.base_path)
        .unwrap_or_default();
    let open = path == "/login" || path.starts_with("/assets/");
    let cookies = text_of(request.headers(), header::COOKIE).unwrap_or_default();
    match &page.login {
        Some(login) if !open && !login.knows(cookies) => {
            found(&format!("{}/login", page.base_path))
        }
        _ => next.run(request).await,
    }
}

/// 302, as Locust redirects.
fn found(to: &str) -> Response {
    let mut response = Redirect::to(to).into_response();
    *response.status_mut() = StatusCode::FOUND;
    response
}

fn text_of(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// A document whose own script, and no other, may run.
pub(crate) fn document(status: StatusCode, document: Document, styles: &str) -> Response {
    let Document { html: text, nonce } = document;
    let policy = format!(
        "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self'{styles}; img-src 'self' data:; \
         connect-src 'self'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
    );
    let mut response = html(status, text);
    let policy = HeaderValue::from_str(&policy).expect("a nonce is hexadecimal");
    response
        .headers_mut()
        .insert(header::CONTENT_SECURITY_POLICY, policy);
    response
}

async fn page(State(page): Page, headers: HeaderMap) -> Response {
    let Document { html, nonce } = index::page(&page, Map::new());
    let empty = Document {
        html: String::new(),
        nonce,
    };
    with_body(document(StatusCode::OK, empty, ""), html, &headers)
}

async fn swarm(State(page): Page, request: Request) -> Response {
    match form(request).await {
        Ok(fields) => json(StatusCode::OK, &steering::swarm(&page, &fields)),
        Err(response) => response,
    }
}

/// The fields of a form, in its order; a body of another kind has none, as in Locust.
async fn form(request: Request) -> Result<Vec<(String, String)>, Response> {
    let kind = text_of(request.headers(), header::CONTENT_TYPE)
        .unwrap_or_default()
        .to_owned();
    if kind.starts_with("multipart/form-data") {
        let mut parts = Multipart::from_request(request, &())
            .await
            .map_err(IntoResponse::into_response)?;
        let mut fields = Vec::new();
        while let Some(part) = parts
            .next_field()
            .await
            .map_err(IntoResponse::into_response)?
        {
            let name = part.name().unwrap_or_default().to_owned();
            fields.push((
                name,
                part.text().await.map_err(IntoResponse::into_response)?,
            ));
        }
        return Ok(fields);
    }
    let body = Bytes::from_request(request, &())
        .await
        .map_err(IntoResponse::into_response)?;
    if !kind.starts_with("application/x-www-form-urlencoded") {
        return Ok(Vec::new());
    }
    Ok(form_urlencoded::parse(&body).into_owned().collect())
}

async fn stop(State(page): Page) -> Response {
    steering::stop(&page).await;
    json(
        StatusCode::OK,
        &json!({"success": true, "message": "Test stopped"}),
    )
}

async fn reset(State(page): Page) -> Response {
    steering::reset(&page);
    html(StatusCode::OK, "ok")
}

async fn stats_requests(State(page): Page) -> Response {
    json_text(StatusCode::OK, page.stats_requests())
}

#[derive(Deserialize)]
struct ReportQuery {
    #[serde(default)]
    theme: String,
    #[serde(default)]
    download: String,
}

async fn stats_report(State(page): Page, Query(query): Query<ReportQuery>) -> Response {
    let download = !query.download.is_empty();
    let report = report::page(&page, &query.theme, !download);
    if download {
        let name = format!("{}.html", downloads::file_name(&page, &page.snapshot()));
        return attachment("text/html; charset=utf-8", &name, report.html);
    }
    let styles = format!(" 'nonce-{}'", report.nonce);
    document(StatusCode::OK, report, &styles)
}

async fn exceptions(State(page): Page) -> Response {
    json(
        StatusCode::OK,
        &json!({"exceptions": locust_json::exceptions(&page.snapshot())}),
    )
}

async fn tasks(State(page): Page) -> Response {
    json(StatusCode::OK, &page.site.task_ratios())
}

async fn logs(State(page): Page) -> Response {
    json(
        StatusCode::OK,
        &json!({"master": page.site.log_lines(), "workers": {}}),
    )
}

async fn worker_count() -> Response {
    json(StatusCode::OK, &json!({"worker_count": 0}))
}

async fn user(State(page): Page, body: Bytes) -> Response {
    match steering::change_user(&page, &body) {
        Ok(()) => json(StatusCode::CREATED, &json!({})),
        Err(message) => json(
            StatusCode::BAD_REQUEST,
            &json!({"success": false, "message": message}),
        ),
    }
}

async fn login_page(State(page): Page, headers: HeaderMap) -> Response {
    let cookies = text_of(&headers, header::COOKIE).unwrap_or_default();
    match &page.login {
        Some(login) if !login.knows(cookies) => document(
            StatusCode::OK,
            index::login(&page, &LoginForm::password("")),
            "",
        ),
        _ => found(&format!("{}/", page.base_path)),
    }
}

async fn login(State(page): Page, request: Request) -> Response {
    /// How long a wrong password is thought about.
    const PATIENCE: std::time::Duration = std::time::Duration::from_millis(500);
    let fields = match form(request).await {
        Ok(fields) => fields,
        Err(response) => return response,
    };
    let given = fields.iter().find(|(name, _)| name == "password");
    let given = given.map_or("", |(_, value)| value);
    let home = format!("{}/", page.base_path);
    let Some(login) = &page.login else {
        return found(&home);
    };
    let Some(session) = login.enter(given) else {
        tokio::time::sleep(PATIENCE).await;
        let again = LoginForm::password("That is not the password.");
        return document(StatusCode::UNAUTHORIZED, index::login(&page, &again), "");
    };
    let secure = if page.secure { "; Secure" } else { "" };
    let cookie = format!("{COOKIE}={session}; Path={home}; HttpOnly; SameSite=Strict{secure}");
    let mut response = found(&home);
    let cookie = HeaderValue::from_str(&cookie).expect("a base path and a session are ASCII");
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    response
}
