//! The way to a machine: a serial port, a pseudoterminal or a socket.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::termios::{ControlModes, OptionalActions, tcgetattr, tcsetattr};

/// How long a connection over a network may take to be made.
const PATIENCE: Duration = Duration::from_secs(3);

/// Where a machine's serial port is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// A serial port, a pseudoterminal, or a unix socket, as it turns out.
    Path(PathBuf),
    /// Host and port.
    Tcp(String),
}

impl Address {
    /// Reads `tcp:HOST:PORT`, `HOST:PORT`, `unix:PATH` or a path. What begins
    /// with a slash or a dot, or has one in its host, is a path.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let is_port = |port: &str| port.parse::<u16>().is_ok_and(|port| port != 0);
        let split = |text: &str| {
            let (host, port) = text.rsplit_once(':')?;
            (!host.is_empty() && is_port(port)).then(|| Self::Tcp(text.into()))
        };
        if let Some(rest) = text.strip_prefix("tcp:") {
            return split(rest)
                .ok_or_else(|| "give tcp:HOST:PORT, the port from 1 to 65535".into());
        }
        let path = text.strip_prefix("unix:").unwrap_or(text);
        if path.is_empty() {
            return Err("give a serial port, a socket, or HOST:PORT".into());
        }
        let is_path = path != text || path.contains('/');
        Ok(split(path).filter(|_| !is_path).unwrap_or_else(|| Self::Path(path.into())))
    }

    /// Opens it. A serial port is set to `baud`, 8 bits, no parity and no flow
    /// control.
    ///
    /// # Errors
    /// What the system says, or that there is something else at the path.
    pub fn open(&self, baud: u32) -> io::Result<Link> {
        match self {
            Self::Tcp(address) => tcp(address),
            Self::Path(path) => {
                let kind = fs::metadata(path)?.file_type();
                if kind.is_socket() {
                    let stream = UnixStream::connect(path)?;
                    Ok(Link::new(stream.try_clone()?, stream))
                } else if kind.is_char_device() {
                    serial(path, baud)
                } else {
                    let reason = "neither a serial port, nor a pseudoterminal, nor a socket";
                    Err(io::Error::new(io::ErrorKind::InvalidInput, reason))
                }
            }
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => path.display().fmt(f),
            Self::Tcp(address) => f.write_str(address),
        }
    }
}

/// Both directions of a connection.
pub struct Link {
    /// What the machine says.
    pub reader: Box<dyn Read + Send>,
    /// What it is told.
    pub writer: Box<dyn Write + Send>,
}

impl Link {
    fn new(reader: impl Read + Send + 'static, writer: impl Write + Send + 'static) -> Self {
        Self { reader: Box::new(reader), writer: Box::new(writer) }
    }
}

fn tcp(address: &str) -> io::Result<Link> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    for address in address.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, PATIENCE) {
            Ok(stream) => {
                // Keys are to arrive as they are typed.
                stream.set_nodelay(true)?;
                return Ok(Link::new(stream.try_clone()?, stream));
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn serial(path: &std::path::Path, baud: u32) -> io::Result<Link> {
    // A port that waits for a carrier would keep its opener waiting too.
    let flags = i32::try_from((OFlags::NOCTTY | OFlags::NONBLOCK).bits()).unwrap_or_default();
    let port = OpenOptions::new().read(true).write(true).custom_flags(flags).open(path)?;
    let mut settings = tcgetattr(&port)?;
    settings.make_raw();
    settings.control_modes |= ControlModes::CREAD | ControlModes::CLOCAL;
    settings.control_modes -= ControlModes::CSTOPB | ControlModes::CRTSCTS;
    settings.set_speed(baud)?;
    tcsetattr(&port, OptionalActions::Now, &settings)?;
    fcntl_setfl(&port, fcntl_getfl(&port)? - OFlags::NONBLOCK)?;
    Ok(Link::new(port.try_clone()?, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_paths() {
        let tcp = |text: &str| Ok(Address::Tcp(text.into()));
        let path = |text: &str| Ok(Address::Path(text.into()));
        assert_eq!(Address::parse("127.0.0.1:4444"), tcp("127.0.0.1:4444"));
        assert_eq!(Address::parse("tcp:[::1]:4444"), tcp("[::1]:4444"));
        assert_eq!(Address::parse("/dev/ttyUSB0"), path("/dev/ttyUSB0"));
        assert_eq!(Address::parse("./serial:1"), path("./serial:1"));
        assert_eq!(Address::parse("unix:serial:1"), path("serial:1"));
        assert_eq!(Address::parse("serial"), path("serial"));
        for wrong in ["", "tcp:", "tcp:host", "tcp:host:0", "tcp:host:99999", "tcp::1", "unix:"] {
            assert!(Address::parse(wrong).is_err(), "{wrong}");
        }
    }
}
