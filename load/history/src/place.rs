//! Where a history is: in a file, or in a PostgreSQL database.

use std::fmt;
use std::path::{Path, PathBuf};

use tokio_postgres::Config;
use tokio_postgres::config::Host;

/// The port where PostgreSQL listens unless somebody says otherwise.
const USUAL_PORT: u16 = 5432;

/// Where a history is. Shown without a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// An SQLite file.
    File(PathBuf),
    /// A PostgreSQL database.
    Server(Box<Server>),
}

/// A PostgreSQL database, and what is to happen while it is away.
#[derive(Clone, PartialEq, Eq)]
pub struct Server {
    pub(crate) config: Config,
    /// The file in which runs wait that the database did not take; without one they are lost.
    pub(crate) waiting: Option<PathBuf>,
}

/// Why a text names no place. It may hold a password, so that none of it is repeated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPlace {
    /// A URL of something else.
    #[error("a history is in a file, or in PostgreSQL at postgres://user@host/database")]
    OtherScheme,
    /// A URL of PostgreSQL's that cannot be read.
    #[error(
        "this is no address of a database that can be read; it is like postgres://user@host/database, \
         with %40 for an @ in a password"
    )]
    Unreadable,
}

impl Place {
    /// Reads `--history`: a URL of PostgreSQL's, or else the name of a file.
    ///
    /// # Errors
    ///
    /// [`InvalidPlace`] for a URL that cannot be used.
    pub fn parse(text: &str) -> Result<Self, InvalidPlace> {
        match text.split_once("://") {
            Some(("postgres" | "postgresql", _)) => {
                let config: Config = text.parse().map_err(|_| InvalidPlace::Unreadable)?;
                if config.get_hosts().is_empty() {
                    return Err(InvalidPlace::Unreadable);
                }
                let waiting = None;
                Ok(Self::Server(Box::new(Server { config, waiting })))
            }
            Some((scheme, _)) if scheme.chars().all(|letter| letter.is_ascii_alphanumeric()) => {
                Err(InvalidPlace::OtherScheme)
            }
            _ => Ok(Self::File(text.into())),
        }
    }

    /// The same, with runs that a server does not take waiting for it in a file in `folder`.
    #[must_use]
    pub fn with_waiting_in(self, folder: &Path) -> Self {
        match self {
            Self::Server(mut server) => {
                server.waiting = Some(folder.join(waiting_name(&server)));
                Self::Server(server)
            }
            file => file,
        }
    }
}

/// A file name for each database: what a name cannot hold is as in a URL.
fn waiting_name(server: &Server) -> String {
    let address = server.to_string();
    let (_, address) = address.split_once("://").unwrap_or_default();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_@".contains(&byte);
    let letters = address.bytes().map(|byte| match byte {
        byte if plain(byte) => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    });
    format!("waiting-for-{}.db", letters.collect::<String>())
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Server(server) => server.fmt(f),
        }
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let config = &self.config;
        f.write_str("postgres://")?;
        if let Some(user) = config.get_user() {
            write!(f, "{user}@")?;
        }
        for (at, host) in config.get_hosts().iter().enumerate() {
            let comma = if at > 0 { "," } else { "" };
            match host {
                Host::Tcp(name) if name.contains(':') => write!(f, "{comma}[{name}]")?,
                Host::Tcp(name) => write!(f, "{comma}{name}")?,
                Host::Unix(folder) => write!(f, "{comma}{}", folder.display())?,
            }
            // One port may stand for all hosts.
            let ports = config.get_ports();
            match ports.get(at).or_else(|| ports.first()) {
                None | Some(&USUAL_PORT) => {}
                Some(port) => write!(f, ":{port}")?,
            }
        }
        write!(f, "/{}", config.get_dbname().unwrap_or_default())
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self} ({:?})", self.waiting)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_and_shown_without_its_password() {
        for (text, shown) in [
            ("runs.db", "runs.db"),
            ("./a://b", "./a://b"),
            (
                "postgres://me:secret@db:5433/load",
                "postgres://me@db:5433/load",
            ),
            ("postgres://me:sec/ret@db/load", "postgres://me@db/load"),
            ("postgres://me:sec?ret@db/load", "postgres://me@db/load"),
            (
                "postgresql://me:sec%40ret@db/load?sslmode=require",
                "postgres://me@db/load",
            ),
            (
                "postgres://db/load?password=secret&user=me",
                "postgres://me@db/load",
            ),
            (
                "postgres://me:secret@[::1]:5432/load",
                "postgres://me@[::1]/load",
            ),
            (
                "postgres:///load?host=/run/pg&user=me&password=secret",
                "postgres://me@/run/pg/load",
            ),
        ] {
            let place = Place::parse(text).expect(text);
            assert_eq!(place.to_string(), shown);
            let place = place.with_waiting_in(Path::new("/data"));
            assert!(!format!("{place:?}").contains("sec"), "{place:?}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_refused_without_repeating_it() {
        for text in [
            "mysql://me:secret@db/load",
            "postgres://db/load?secret=1",
            "postgres://me:secret@db:port/load",
            "postgres://",
        ] {
            let error = Place::parse(text).expect_err(text).to_string();
            assert!(!error.contains("sec") && !error.contains("ret@"), "{error}");
        }
    }

    #[test]
    fn each_database_has_a_waiting_file_of_its_own() {
        let name = |text: &str| {
            let place = Place::parse(text).expect(text);
            match place.with_waiting_in(Path::new("/data")) {
                Place::Server(server) => server.waiting,
                Place::File(path) => Some(path),
            }
        };
        let expected = "/data/waiting-for-me@db%3A5433%2Fload.db";
        assert_eq!(name("postgres://me:x@db:5433/load"), Some(expected.into()));
        assert_ne!(name("postgres://me@a-b/c"), name("postgres://me@a/b-c"));
        assert_eq!(name("runs.db"), Some("runs.db".into()));
    }
}
