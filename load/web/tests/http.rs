//! The HTTP interface over real sockets, with a run that only takes notes.

mod support;

use acrida_web::{Settings, Shape};
use support::{Server, get, request};

#[test]
fn every_path_of_locusts_answers_in_its_kind() {
    let server = Server::start(|_| {});
    for (path, status, kind, part) in [
        ("/", 200, "text/html", "\"state\": \"ready\""),
        (
            "/stats/requests",
            200,
            "application/json",
            "\"fail_ratio\": 0.0",
        ),
        ("/stats/report", 200, "text/html", "\"is_report\": true"),
        (
            "/stats/requests/csv",
            200,
            "text/csv",
            "Type,Name,Request Count",
        ),
        (
            "/stats/failures/csv",
            200,
            "text/csv",
            "Method,Name,Error,Occurrences,First Seen,Last Seen\r\n",
        ),
        (
            "/exceptions/csv",
            200,
            "text/csv",
            "Count,Message,Traceback,Nodes",
        ),
        (
            "/stats/requests_full_history/csv",
            404,
            "text/html",
            "Server was not started with option",
        ),
        ("/exceptions", 200, "application/json", "\"exceptions\": []"),
        ("/tasks", 200, "application/json", "per_class"),
        ("/logs", 200, "application/json", "\"workers\": {}"),
        (
            "/worker-count",
            200,
            "application/json",
            "\"worker_count\": 0",
        ),
        ("/live/history", 200, "application/json", "\"points\""),
        ("/live/occurrences", 200, "application/json", "\"counts\""),
        ("/assets/app.js", 200, "text/javascript", "import"),
        ("/assets/../Cargo.toml", 404, "", ""),
        ("/nowhere", 404, "", ""),
        ("/swarm", 405, "", ""),
        ("/user", 405, "", ""),
    ] {
        let answer = get(server.port(), path);
        assert_eq!(answer.status, status, "{path}");
        assert!(
            answer
                .header("content-type")
                .unwrap_or_default()
                .starts_with(kind),
            "{path}"
        );
        assert!(answer.body.contains(part), "{path}: {}", answer.body);
    }
}

#[test]
fn statistics_tell_of_a_run_that_has_ended_at_once() {
    let server = Server::start(|_| {});
    let form = "user_count=1&spawn_rate=1";
    server.post("/swarm", "application/x-www-form-urlencoded", form);
    server.until_state("running");
    for state in ["running", "stopped"] {
        server.until_state(state);
        let told = get(server.port(), "/stats/requests").body;
        assert!(told.contains(&format!("\"state\": \"{state}\"")), "{told}");
        server.end_run();
    }
}

#[test]
fn a_swarm_goes_to_the_run_after_its_settings() {
    let server = Server::start(|_| {});
    let form = "user_count=3&spawn_rate=2&host=http%3A%2F%2F127.0.0.1%3A1&my_num=7&run_time=10s&nonsense=x";
    let answer = server.post("/swarm", "application/x-www-form-urlencoded", form);
    assert_eq!(answer.status, 200);
    for part in [
        "\"success\": true",
        "\"message\": \"Swarming started\"",
        "\"run_time\": 10",
        "\"host\": \"http://127.0.0.1:1\"",
    ] {
        assert!(answer.body.contains(part), "{}", answer.body);
    }
    assert_eq!(
        server.notes(),
        ["settings host,my_num,num_users,run_time,spawn_rate"]
    );
    server.until_state("running");
    assert!(
        server
            .post("/stop", "text/plain", "")
            .body
            .contains("Test stopped")
    );
    server.until_state("stopped");
    let multipart =
        "--x\r\nContent-Disposition: form-data; name=\"user_count\"\r\n\r\nabc\r\n--x--\r\n";
    let answer = server.post("/swarm", "multipart/form-data; boundary=x", multipart);
    assert!(
        answer
            .body
            .contains("Invalid user_count value: 'abc' (must be an integer)"),
        "{}",
        answer.body
    );
    assert_eq!(get(server.port(), "/stats/reset").body, "ok");
    assert!(server.notes().contains(&"reset".to_owned()));
}

#[test]
fn a_load_shape_is_picked_for_a_test() {
    let shape = |name: &str| Shape {
        name: name.to_owned(),
        uses_common_options: false,
    };
    let settings = Settings {
        class_picker: true,
        shapes: vec![shape("Waves"), shape("Steps")],
        ..Settings::default()
    };
    let server = Server::start_with(|_| {}, settings);
    let page = get(server.port(), "/").body;
    assert!(
        page.contains(r#""available_shape_classes": ["Default", "Steps", "Waves"]"#),
        "{page}"
    );
    let swarm = |form: &str| {
        let answer = server.post("/swarm", "application/x-www-form-urlencoded", form);
        answer.body
    };
    let body = swarm("shape_class=Nonsense");
    assert!(body.contains("there is no load shape"), "{body}");
    let body = swarm("shape_class=Steps");
    assert!(
        body.contains("Swarming started using shape class 'Steps'"),
        "{body}"
    );
    let body = swarm("user_count=1&spawn_rate=1");
    assert!(body.contains("\"Swarming started\""), "{body}");
    let of_shapes = |note: &String| note.starts_with("shape");
    let notes = server.notes();
    let notes: Vec<_> = notes.iter().filter(|note| of_shapes(note)).collect();
    assert_eq!(
        notes,
        [r#"shape class Some("Steps")"#, "shape", "shape class None"]
    );
}

#[test]
fn a_user_class_is_changed_within_limits() {
    let server = Server::start(|_| {});
    let json = "application/json";
    let answer = server.post(
        "/user",
        json,
        r#"{"user_class_name": "A", "weight": 2, "abstract": true}"#,
    );
    assert_eq!((answer.status, &*answer.body), (201, "{}\n"));
    assert_eq!(server.notes(), ["user A Some(2.0)"]);
    for wrong in [
        "",
        "{}",
        r#"{"user_class_name": "B"}"#,
        r#"{"user_class_name": "A", "weight": -1}"#,
    ] {
        assert_eq!(server.post("/user", json, wrong).status, 400, "{wrong}");
    }
}

#[test]
fn other_pages_and_other_names_are_refused() {
    let server = Server::start(|_| {});
    let port = server.port();
    let own = format!("127.0.0.1:{port}");
    for (method, path, headers, status) in [
        ("GET", "/", vec![("Host", "evil.example".to_owned())], 421),
        (
            "GET",
            "/stats/requests",
            vec![("Host", format!("evil.example:{port}"))],
            421,
        ),
        ("GET", "/", vec![("Host", format!("localhost:{port}"))], 200),
        (
            "POST",
            "/swarm",
            vec![
                ("Host", own.clone()),
                ("Origin", "http://evil.example".to_owned()),
            ],
            403,
        ),
        (
            "POST",
            "/user",
            vec![("Host", own.clone()), ("Origin", "null".to_owned())],
            403,
        ),
        (
            "GET",
            "/stop",
            vec![
                ("Host", own.clone()),
                ("Sec-Fetch-Site", "cross-site".to_owned()),
            ],
            403,
        ),
        (
            "GET",
            "/stats/reset",
            vec![
                ("Host", own.clone()),
                ("Sec-Fetch-Site", "same-site".to_owned()),
            ],
            403,
        ),
        (
            "POST",
            "/swarm",
            vec![("Host", own.clone()), ("Origin", format!("http://{own}"))],
            200,
        ),
    ] {
        let answer = request(port, method, path, &headers, "");
        assert_eq!(answer.status, status, "{method} {path} {headers:?}");
    }
    let page = get(port, "/");
    let policy = page.header("content-security-policy").expect("a policy");
    assert!(
        policy.contains("default-src 'none'") && policy.contains("script-src 'self' 'nonce-"),
        "{policy}"
    );
    assert_eq!(
        page.header("access-control-allow-origin"),
        Some("*"),
        "as Locust, to what is no browser"
    );
    let origin = vec![("Host", own), ("Origin", "http://evil.example".to_owned())];
    let foreign = request(port, "GET", "/stats/requests", &origin, "");
    assert_eq!(foreign.header("access-control-allow-origin"), None);
    assert_eq!(
        request(
            port,
            "OPTIONS",
            "/stats/requests",
            &[("Host", "localhost".to_owned())],
            ""
        )
        .status,
        200
    );
}

#[test]
fn without_the_password_there_is_only_the_login() {
    let server = Server::start(|address| {
        address.login = Some(Some("sesame".to_owned()));
        address.base_path = "/load".to_owned();
    });
    let port = server.port();
    let redirect = get(port, "/load/stats/requests");
    assert_eq!(
        (redirect.status, redirect.header("location")),
        (302, Some("/load/login"))
    );
    assert_eq!(get(port, "/load/assets/app.css").status, 200);
    assert_eq!(
        get(port, "/").status,
        302,
        "outside the base path nothing is told"
    );
    let form = "application/x-www-form-urlencoded";
    assert_eq!(server.post("/load/login", form, "password=x").status, 401);
    let entered = server.post("/load/login", form, "password=sesame");
    let cookie = entered.header("set-cookie").expect("a session").to_owned();
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"),
        "{cookie}"
    );
    let session = cookie.split(';').next().expect("its value").to_owned();
    let headers = [("Host", "localhost".to_owned()), ("Cookie", session)];
    assert_eq!(
        request(port, "GET", "/load/stats/requests", &headers, "").status,
        200
    );
    assert!(
        request(port, "GET", "/load/", &headers, "")
            .body
            .contains("<base href=\"/load/\">")
    );
}

#[test]
fn an_open_page_gets_the_state_and_then_every_beat() {
    let server = Server::start(|_| {});
    let mut stream = server.open("/live/events");
    assert!(stream.next_event().contains("\"state\":\"ready\""));
    server.beat();
    assert!(stream.next_event().contains("\"metrics\""));
}

#[test]
fn a_port_in_use_is_said_in_one_line() {
    let server = Server::start(|_| {});
    let address = acrida_web::Address {
        port: server.port(),
        ..Default::default()
    };
    let error = acrida_web::Page::bind(address)
        .expect_err("it is in use")
        .to_string();
    assert!(
        error.starts_with(&format!("cannot listen on 127.0.0.1:{}: ", server.port())),
        "{error}"
    );
    assert_eq!(error.lines().count(), 1);
}

#[test]
fn what_is_long_is_compressed_for_who_takes_it() {
    let server = Server::start(|_| {});
    for path in ["/", "/live/history", "/assets/app.js"] {
        let headers = [
            ("Host", "localhost".to_owned()),
            ("Accept-Encoding", "gzip, br".to_owned()),
        ];
        let zipped = request(server.port(), "GET", path, &headers, "");
        assert_eq!(zipped.header("content-encoding"), Some("gzip"), "{path}");
        assert_eq!(zipped.header("vary"), Some("Accept-Encoding"), "{path}");
        let plain = get(server.port(), path);
        assert_eq!(plain.header("content-encoding"), None, "{path}");
        assert_eq!(zipped.status, plain.status, "{path}");
    }
}
