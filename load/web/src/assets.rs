//! The files of the page, compressed once.

use std::collections::HashMap;
use std::sync::LazyLock;

use acrida_report::html;
use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use flate2::Compression;

use crate::answers::{accepts_gzip, zip};

macro_rules! assets {
    ($($path:literal),* $(,)?) => {
        &[$(($path, include_str!(concat!("../ui/", $path)))),*]
    };
}

/// Path below `/assets/`, and text.
const FILES: &[(&str, &str)] = assets![
    "app.js",
    "app.css",
    "charts.css",
    "api.js",
    "chart.js",
    "format.js",
    "form.js",
    "header.js",
    "store.js",
    "table.js",
    "icon.svg",
    "charts/tab.js",
    "charts/heatmap.js",
    "downloads/tab.js",
    "exceptions/tab.js",
    "extension/tab.js",
    "failures/tab.js",
    "logs/tab.js",
    "overview/tab.js",
    "ratio/tab.js",
    "runs/tab.js",
    "statistics/tab.js",
    "vendor/htm-preact.js",
];

/// What the report shares with the page.
const SHARED: [(&str, &str); 2] = [
    ("vendor/uplot.js", html::CHARTS),
    ("vendor/uplot.css", html::CHARTS_STYLE),
];

struct Asset {
    kind: &'static str,
    plain: &'static str,
    zipped: Vec<u8>,
}

static ASSETS: LazyLock<HashMap<&'static str, Asset>> = LazyLock::new(|| {
    FILES
        .iter()
        .chain(&SHARED)
        .map(|(path, plain)| {
            (
                *path,
                Asset {
                    kind: kind(path),
                    plain,
                    zipped: zip(plain, Compression::best()),
                },
            )
        })
        .collect()
});

fn kind(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "text/plain; charset=utf-8",
    }
}

/// `GET /assets/…`.
pub(crate) async fn serve(Path(path): Path<String>, headers: HeaderMap) -> Response {
    let Some(asset) = ASSETS.get(&*path) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let caching = [
        (header::CONTENT_TYPE, asset.kind),
        (header::CACHE_CONTROL, "no-cache"),
        (header::VARY, "Accept-Encoding"),
    ];
    if accepts_gzip(&headers) {
        (
            caching,
            [(header::CONTENT_ENCODING, "gzip")],
            asset.zipped.clone(),
        )
            .into_response()
    } else {
        (caching, asset.plain).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_light() {
        let pages = zip(include_str!("../ui/index.html"), Compression::best()).len();
        let total: usize = ASSETS.values().map(|asset| asset.zipped.len()).sum();
        assert!(total + pages <= 250 * 1_000, "{total} bytes");
        println!("{} bytes over the wire", total + pages);
    }
}
