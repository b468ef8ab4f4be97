//! The web page: files that the browser runs as they are, embedded in the program.

use axum::extract::Path;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS,
};
use axum::response::{IntoResponse, Response};

use super::error::ApiError;

const PAGE: &str = include_str!("../../ui/index.html");
/// Scripts, styles and requests of this service alone; images also from the visitor's disk.
const POLICY: &str = "default-src 'self'; img-src 'self' blob: data:; frame-ancestors 'none'";

macro_rules! assets {
    ($($path:literal),* $(,)?) => {
        &[$(($path, include_str!(concat!("../../ui/", $path)))),*]
    };
}

/// Path below `/assets/`, and text.
const ASSETS: &[(&str, &str)] = assets![
    "app.js",
    "app.css",
    "api.js",
    "kept.js",
    "parts.js",
    "predict/tab.js",
    "predict/cards.js",
    "predict/heat.js",
    "dataset/tab.js",
    "dataset/upload.js",
    "retrain/tab.js",
    "models/tab.js",
    "service/tab.js",
    "docs/tab.js",
    "icon.svg",
    "vendor/htm-preact.js",
];

pub(crate) async fn page() -> Response {
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (CACHE_CONTROL, "no-cache"),
    ];
    (headers, PAGE).into_response()
}

pub(crate) async fn asset(Path(path): Path<String>) -> Result<Response, ApiError> {
    let found = ASSETS.iter().find(|(known, _)| *known == path);
    let (_, text) = found.ok_or_else(|| ApiError::NoSuchPath(format!("/assets/{path}")))?;
    let kind = match path.rsplit('.').next() {
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        _ => "image/svg+xml",
    };
    let headers = [(CONTENT_TYPE, kind), (CACHE_CONTROL, "no-cache")];
    Ok((headers, *text).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a script imports, as paths below `/assets/`.
    fn imports(path: &str, text: &str) -> Vec<String> {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        text.lines()
            .filter_map(|line| line.strip_prefix("import ")?.split('"').nth(1))
            .map(|import| match import.strip_prefix("../") {
                Some(import) => import.to_owned(),
                None => format!("{folder}/{}", import.trim_start_matches("./")),
            })
            .map(|import| import.trim_start_matches('/').to_owned())
            .collect()
    }

    #[test]
    fn everything_that_the_page_loads_is_served() {
        let mut wanted: Vec<String> = PAGE
            .split('"')
            .filter_map(|part| part.strip_prefix("/assets/"))
            .map(str::to_owned)
            .collect();
        assert_eq!(wanted.len(), 3);
        for (path, text) in ASSETS {
            wanted.extend(imports(path, text));
        }
        assert!(wanted.len() > 20);
        for path in wanted {
            assert!(ASSETS.iter().any(|(known, _)| *known == path), "{path}");
        }
    }
}
