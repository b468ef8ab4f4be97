//! What has to be known before the locustfile is loaded, and with it the flags
//! that it adds: which locustfile, which configuration file, and whether only
//! the help or the version is wanted. Flags that nobody knows yet are passed over.

use crate::flags::{Flag, Lookup, find, with_extra};

/// What a command line says at first sight.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Early {
    pub(crate) help: bool,
    pub(crate) version: bool,
    pub(crate) locustfile: Option<String>,
    pub(crate) config: Option<String>,
}

/// Looks through a command line, without the program's name.
pub(crate) fn scan(args: &[String]) -> Early {
    let flags = with_extra(&[]);
    let mut early = Early::default();
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        if arg == "--" {
            break;
        }
        if let Some(long) = arg.strip_prefix("--") {
            let (name, value) = match long.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (long, None),
            };
            if let Some(flag) = known(&flags, name) {
                early.note(flag, value, &mut args);
            }
        } else if let Some(cluster) = arg.strip_prefix('-') {
            early.note_cluster(&flags, cluster, &mut args);
        }
    }
    early
}

/// The flag of a long form. What is ambiguous is passed over here, and refused
/// once every flag is known.
fn known<'f, 'a>(flags: &'f [Flag<'a>], name: &str) -> Option<&'f Flag<'a>> {
    match find(flags, name) {
        Lookup::Flag(flag) => Some(flag),
        Lookup::Ambiguous(_) | Lookup::Unknown => None,
    }
}

impl Early {
    /// Several short forms behind one dash; the first that takes a value takes the rest.
    fn note_cluster<'s>(
        &mut self,
        flags: &[Flag<'_>],
        cluster: &str,
        args: &mut impl Iterator<Item = &'s String>,
    ) {
        for (at, short) in cluster.char_indices() {
            let Some(flag) = flags.iter().find(|flag| flag.short == Some(short)) else {
                return;
            };
            let rest = &cluster[at + short.len_utf8()..];
            let rest = rest.strip_prefix('=').unwrap_or(rest);
            self.note(flag, Some(rest).filter(|rest| !rest.is_empty()), args);
            if !flag.kind.is_switch() {
                return;
            }
        }
    }

    fn note<'s>(
        &mut self,
        flag: &Flag<'_>,
        value: Option<&str>,
        args: &mut impl Iterator<Item = &'s String>,
    ) {
        match flag.dest {
            "help" => self.help = true,
            "version" => self.version = true,
            _ if flag.kind.is_switch() || flag.kind.is_list() => {}
            dest => {
                let value = value.map(str::to_owned).or_else(|| args.next().cloned());
                match dest {
                    "locustfile" => self.locustfile = value,
                    "config" => self.config = value,
                    _ => {}
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_locustfile_is_found_among_flags_that_nobody_knows_yet() {
        for (line, locustfile, config) in [
            ("", None, None),
            ("-f a.py", Some("a.py"), None),
            ("-fa.py", Some("a.py"), None),
            (
                "--locustfile=a.py --config c.conf",
                Some("a.py"),
                Some("c.conf"),
            ),
            (
                "--locust a.py --config=c.conf",
                Some("a.py"),
                Some("c.conf"),
            ),
            ("--my-flag x -f a.py", Some("a.py"), None),
            ("-u -f a.py", None, None),
            ("-T a b -f a.py", Some("a.py"), None),
            ("-lf a.py", Some("a.py"), None),
            ("-f a.py -f b.py", Some("b.py"), None),
            ("-- -f a.py", None, None),
            ("-f", None, None),
        ] {
            let args: Vec<_> = line.split_whitespace().map(str::to_owned).collect();
            let early = scan(&args);
            assert_eq!(early.locustfile.as_deref(), locustfile, "{line}");
            assert_eq!(early.config.as_deref(), config, "{line}");
            assert!(!early.help && !early.version, "{line}");
        }
    }

    #[test]
    fn help_and_version_are_seen_unless_they_are_values() {
        for (line, help, version) in [
            ("-h", true, false),
            ("--help --version", true, true),
            ("-f a.py -V", false, true),
            ("-H -h", false, false),
            ("--vers", false, true),
        ] {
            let args: Vec<_> = line.split_whitespace().map(str::to_owned).collect();
            let early = scan(&args);
            assert_eq!((early.help, early.version), (help, version), "{line}");
        }
    }

    proptest! {
        #[test]
        fn no_line_makes_it_panic(args in prop::collection::vec("\\PC{0,10}|-{1,2}[a-zA-Z=\u{e4}]{0,8}", 0..6)) {
            scan(&args);
        }
    }
}
