use proptest::prelude::*;

use super::typed::Values;
use super::*;
use crate::config;
use crate::flags::parse;

/// An invocation: a command line, environment variables, and files by name with
/// their text, the strongest first.
fn options(
    line: &str,
    environment: &[(&str, &str)],
    files: &[(&str, &str)],
) -> Result<Options, String> {
    let args: Vec<_> = line.split_whitespace().map(str::to_owned).collect();
    let environment = environment
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let layers: Vec<_> = files
        .iter()
        .map(|(file, text)| Layer {
            file: (*file).to_owned(),
            items: config::parse(text).expect("good lines"),
        })
        .collect();
    resolve(&parse("acrida", &args, &[])?, &environment, &layers, &[])
}

fn value(options: &Options, dest: &str) -> Value {
    Values(&options.all).get(dest).clone()
}

#[test]
fn nothing_given_leaves_locusts_defaults() {
    let options = options("", &[], &[]).expect("no mistake");
    assert_eq!(options.locustfile, "locustfile.py");
    assert_eq!(options.users, None);
    assert_eq!(options.loglevel, "INFO");
    assert_eq!(options.exit_code_on_error, 1);
    assert_eq!(options.stop_timeout, Duration::ZERO);
    assert_eq!(value(&options, "web_port"), Value::Int(8089));
    assert_eq!(value(&options, "master"), Value::Bool(false));
    assert_eq!(value(&options, "tags"), Value::None);
    assert_eq!(value(&options, "user_classes"), Value::List(Vec::new()));
}

#[test]
fn the_strongest_source_wins() {
    // Each case leaves out the strongest source of the one before it.
    let line = "--users 1";
    let environment = [("LOCUST_USERS", "2")];
    let files = [
        ("c.conf", "users = 3"),
        ("locust.conf", "users = 4"),
        ("~/.locust.conf", "users = 5"),
    ];
    for (line, environment, files, expected) in [
        (line, &environment[..], &files[..], Some(1)),
        ("", &environment, &files, Some(2)),
        ("", &[], &files, Some(3)),
        ("", &[], &files[1..], Some(4)),
        ("", &[], &files[2..], Some(5)),
        ("", &[], &[], None),
    ] {
        let users = options(line, environment, files).expect("no mistake").users;
        assert_eq!(users, expected);
    }
}

#[test]
fn sources_add_up_as_observed_on_locust() {
    let environment = [("LOCUST_HOST", "env")];
    let files = [
        ("c.conf", "users=9\nhost=c\n"),
        ("locust.conf", "users = 1\nhost=l\nrun-time=5\n"),
    ];
    let options = options("--config c.conf", &environment, &files).expect("no mistake");
    assert_eq!(options.host.as_deref(), Some("env"));
    assert_eq!(options.users, Some(9));
    assert_eq!(options.run_time, Some(Duration::from_secs(5)));
}

#[test]
fn switches_can_be_set_and_unset_outside_the_command_line() {
    for (why, line, environment, file, expected) in [
        ("a file sets it", "", &[][..], "headless = true", true),
        ("standing alone is enough", "", &[], "headless", true),
        ("false in a file", "", &[], "headless = false", false),
        (
            "the environment unsets what a file sets",
            "",
            &[("LOCUST_HEADLESS", "false")],
            "headless",
            false,
        ),
        (
            "the command line is stronger",
            "--headless",
            &[("LOCUST_HEADLESS", "no")],
            "",
            true,
        ),
        ("headful is stronger", "--headful", &[], "headless", false),
    ] {
        let options = options(line, environment, &[("locust.conf", file)]).expect("no mistake");
        assert_eq!(options.headless, expected, "{why}");
    }
}

#[test]
fn lists_come_from_everywhere() {
    let list = |texts: &[&str]| {
        Some(
            texts
                .iter()
                .map(|text| (*text).to_owned())
                .collect::<Vec<_>>(),
        )
    };
    for (line, environment, file, expected) in [
        ("-T a b", &[][..], "", list(&["a", "b"])),
        ("", &[("LOCUST_TAGS", "[a, b]")], "", list(&["a", "b"])),
        ("", &[("LOCUST_TAGS", "a b")], "", list(&["a b"])),
        ("", &[("LOCUST_TAGS", "")], "", None),
        ("", &[], "tags = [\"a\", \"b\"]", list(&["a", "b"])),
        ("", &[], "tags = a b", list(&["a b"])),
        ("", &[], "tags =", None),
    ] {
        let options = options(line, environment, &[("locust.conf", file)]).expect("no mistake");
        assert_eq!(options.tags, expected, "{line} {environment:?} {file}");
    }
}

#[test]
fn user_classes_come_from_the_line_or_the_environment() {
    let environment = [("LOCUST_USER_CLASSES", "A B")];
    let classes = |line: &str| {
        options(line, &environment, &[])
            .expect("no mistake")
            .user_classes
    };
    assert_eq!(classes(""), ["A", "B"]);
    assert_eq!(classes("C"), ["C"]);
}

#[test]
fn a_mistake_is_named_with_its_place() {
    for (line, environment, file, expected) in [
        (
            "-u x",
            &[][..],
            "",
            "argument -u/--users: invalid int value: 'x'",
        ),
        ("-r 0", &[], "", "argument -r/--spawn-rate: must be > 0"),
        (
            "-t 5x",
            &[],
            "",
            "argument -t/--run-time: Invalid time span format. Valid formats: 20, 20s, 3m, 2h, 1h20m, 3h30m10s, etc.",
        ),
        (
            "-L verbose",
            &[],
            "",
            "argument -L/--loglevel: invalid choice: 'VERBOSE' (choose from 'DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL')",
        ),
        (
            "",
            &[("LOCUST_USERS", "")],
            "",
            "environment variable LOCUST_USERS: invalid int value: ''",
        ),
        (
            "",
            &[("LOCUST_HEADLESS", "maybe")],
            "",
            "environment variable LOCUST_HEADLESS: unexpected value 'maybe', expecting 'true', 'false', 'yes', 'no', 'on', 'off', '1' or '0'",
        ),
        (
            "",
            &[],
            "users = x",
            "my.conf: users: invalid int value: 'x'",
        ),
        (
            "",
            &[],
            "users = [1, 2]",
            "my.conf: users: takes one value, not the list [1, 2]",
        ),
        (
            "",
            &[],
            "spawn_rate = 5",
            "my.conf: unknown setting 'spawn_rate' (did you mean 'spawn-rate'?)",
        ),
        (
            "",
            &[],
            "nonsense = 5",
            "my.conf: unknown setting 'nonsense'",
        ),
        (
            "",
            &[],
            "log = x",
            "my.conf: 'log' could mean --loglevel, --logfile",
        ),
        (
            "",
            &[],
            "config = x",
            "my.conf: --config is only for the command line",
        ),
        (
            "",
            &[],
            "help",
            "my.conf: --help is only for the command line",
        ),
        (
            "--csv-full-history",
            &[],
            "",
            "'--csv-full-history' requires '--csv'.",
        ),
        (
            "--csv-requests",
            &[],
            "",
            "'--csv-requests' requires '--csv'.",
        ),
        ("--master", &[], "", "--master is not supported yet"),
        (
            "--build-path x",
            &[],
            "",
            "--build-path is not supported yet",
        ),
        (
            "--web-base-path x",
            &[],
            "",
            "argument --web-base-path: must be a slash and plain letters, such as /load, not \"x\"",
        ),
        (
            "-P 70000",
            &[],
            "",
            "argument -P/--web-port: must be from 0 to 65535, not 70000",
        ),
        (
            "--tls-cert x",
            &[],
            "",
            "'--tls-cert' and '--tls-key' require each other",
        ),
        (
            "",
            &[("LOCUST_MODE_WORKER", "1")],
            "",
            "--worker is not supported yet (set by LOCUST_MODE_WORKER)",
        ),
        (
            "",
            &[],
            "master = true",
            "--master is not supported yet (set in my.conf)",
        ),
        ("--slave", &[], "", "--slave was renamed to --worker"),
    ] {
        let actual = options(line, environment, &[("my.conf", file)]);
        assert_eq!(
            actual.err().as_deref(),
            Some(expected),
            "{line} {environment:?} {file}"
        );
    }
}

#[test]
fn unset_flags_that_are_not_supported_do_no_harm() {
    let files = [("locust.conf", "master = false\nweb-port = 8089\n")];
    assert!(options("", &[("LOCUST_MODE_WORKER", "false")], &files).is_ok());
}

#[test]
fn keys_of_files_are_long_forms_and_their_beginnings() {
    for line in ["users = 5", "--users 5", "-u 5", "u = 5", "user = 5"] {
        assert_eq!(
            options("", &[], &[("locust.conf", line)])
                .expect("no mistake")
                .users,
            Some(5),
            "{line}"
        );
    }
}

#[test]
fn a_locustfiles_flags_are_resolved_like_others() {
    let extra = ExtraFlag {
        long: "my-env".to_owned(),
        short: Some('e'),
        dest: "my_env".to_owned(),
        env: Some("MY_ENV".to_owned()),
        kind: Kind::Text,
        choices: vec!["prod".to_owned(), "test".to_owned()],
        default: Value::Text("dev".to_owned()),
        help: String::new(),
    };
    let extra = [extra];
    let resolved = |line: &str, variable: Option<&str>, file: &str| {
        let args: Vec<_> = line.split_whitespace().map(str::to_owned).collect();
        let given = parse("acrida", &args, &extra)?;
        let environment = variable
            .map(|text| ("MY_ENV".to_owned(), text.to_owned()))
            .into_iter()
            .collect();
        let items = config::parse(file).expect("good lines");
        let layers = [Layer {
            file: "locust.conf".to_owned(),
            items,
        }];
        resolve(&given, &environment, &layers, &extra).map(|options| value(&options, "my_env"))
    };
    let text = |text: &str| Ok(Value::Text(text.to_owned()));
    assert_eq!(resolved("", None, ""), text("dev"));
    assert_eq!(resolved("-e prod", Some("test"), ""), text("prod"));
    assert_eq!(resolved("", Some("test"), "my-env = prod"), text("test"));
    assert_eq!(resolved("", None, "my-env = prod"), text("prod"));
    let complaint = "environment variable MY_ENV: invalid choice: 'x' (choose from 'prod', 'test')";
    assert_eq!(resolved("", Some("x"), ""), Err(complaint.to_owned()));
}

#[test]
fn the_locustfile_is_found_before_other_flags_are_known() {
    let environment = |text: Option<&str>| {
        text.map(|text| ("LOCUST_LOCUSTFILE".to_owned(), text.to_owned()))
            .into_iter()
            .collect()
    };
    let items = config::parse("unknown-yet = 1\nlocustfile = c.py").expect("good lines");
    let layers = [Layer {
        file: "locust.conf".to_owned(),
        items,
    }];
    for (line, variable, layers, expected) in [
        (Some("a.py"), Some("b.py"), &layers[..], "a.py"),
        (None, Some("b.py"), &layers, "b.py"),
        (None, None, &layers, "c.py"),
        (None, None, &[], "locustfile.py"),
    ] {
        assert_eq!(
            resolve_locustfile(line, &environment(variable), layers),
            expected
        );
    }
}

#[test]
fn a_run_time_of_zero_is_none() {
    assert_eq!(
        options("-t 0", &[], &[]).expect("no mistake").run_time,
        None
    );
}

proptest! {
    #[test]
    fn no_invocation_makes_it_panic(
        args in prop::collection::vec("(-{0,2}[a-zA-Z=-]{0,12}|\\PC{0,8})", 0..6),
        variable in "\\PC{0,12}",
        file in "([a-z-]{1,10}( = |: | )\\PC{0,10}\n){0,4}",
    ) {
        let environment = ["LOCUST_USERS", "LOCUST_TAGS", "LOCUST_HEADLESS", "LOCUST_RUN_TIME"]
            .map(|name| (name.to_owned(), variable.clone()))
            .into();
        let items = config::parse(&file).unwrap_or_default();
        let layers = [Layer { file: "locust.conf".to_owned(), items }];
        if let Ok(given) = parse("acrida", &args, &[]) {
            let _ = resolve(&given, &environment, &layers, &[]);
        }
    }
}
