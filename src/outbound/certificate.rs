//! Until when a server's certificate is good. Only looked at: whether it may be trusted is decided by each request, and
//! nothing is sent over this connection.

use std::io;
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme};

use crate::domain::time::Time;

const PATIENCE: Duration = Duration::from_secs(5);

/// The moment after which the certificate at this place is no longer good.
pub async fn good_until(host: &str, port: u16) -> io::Result<Time> {
    let host = host.to_owned();
    tokio::task::spawn_blocking(move || ask(&host, port)).await.map_err(io::Error::other)?
}

fn ask(host: &str, port: u16) -> io::Result<Time> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let config = ClientConfig::builder().dangerous().with_custom_certificate_verifier(Arc::new(OnlyLooking)).with_no_client_auth();
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    let mut client = ClientConnection::new(Arc::new(config), name).map_err(io::Error::other)?;
    let address = (host, port).to_socket_addrs()?.next().ok_or_else(|| io::Error::other("there is no address"))?;
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    while client.is_handshaking() {
        client.complete_io(&mut stream)?;
    }
    let first = client.peer_certificates().and_then(|all| all.first()).ok_or_else(|| io::Error::other("it showed no certificate"))?;
    not_after(first).ok_or_else(|| io::Error::other("its certificate cannot be read"))
}

/// What is wrong with a certificate, for a sentence that begins with whose it is.
pub fn fault(error: &rustls::Error) -> Option<&'static str> {
    use rustls::CertificateError::{Expired, ExpiredContext, NotValidForName, NotValidForNameContext, UnknownIssuer};
    let rustls::Error::InvalidCertificate(fault) = error else { return None };
    Some(match fault {
        Expired | ExpiredContext { .. } => "has run out",
        NotValidForName | NotValidForNameContext { .. } => "is for another name",
        UnknownIssuer => "is signed by nobody who is trusted",
        _ => "cannot be trusted",
    })
}

/// Takes every certificate: the connection is closed after it was seen.
#[derive(Debug)]
struct OnlyLooking;

impl ServerCertVerifier for OnlyLooking {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        rustls::crypto::ring::default_provider().signature_verification_algorithms.supported_schemes()
    }
}

/// `validity.notAfter` of an X.509 certificate (RFC 5280, section 4.1): the second time in the fifth part of its body, or
/// the fourth where no version is said.
fn not_after(der: &[u8]) -> Option<Time> {
    const VERSION: u8 = 0xa0;
    let (_, certificate, _) = part(der)?;
    let (_, mut body, _) = part(certificate)?;
    if body.first() == Some(&VERSION) {
        body = part(body)?.2;
    }
    // Serial number, algorithm, issuer.
    for _ in 0..3 {
        body = part(body)?.2;
    }
    let (_, validity, _) = part(body)?;
    let (_, _, rest) = part(validity)?;
    let (kind, text, _) = part(rest)?;
    moment(kind, std::str::from_utf8(text).ok()?)
}

/// Tag, content, and what follows (X.690, definite lengths).
fn part(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, first, rest) = (*der.first()?, usize::from(*der.get(1)?), der.get(2..)?);
    let (length, rest) = if first < 0x80 {
        (first, rest)
    } else {
        let count = first & 0x7f;
        let bytes = rest.get(..count).filter(|b| (1..=4).contains(&b.len()))?;
        (bytes.iter().fold(0, |n, b| n << 8 | usize::from(*b)), &rest[count..])
    };
    Some((tag, rest.get(..length)?, rest.get(length..)?))
}

/// UTCTime with a year of two digits (before 50 is this century), or GeneralizedTime.
fn moment(kind: u8, text: &str) -> Option<Time> {
    const UTC_TIME: u8 = 0x17;
    let century = match (kind, text.get(..2)?) {
        (UTC_TIME, year) if year < "50" => "20",
        (UTC_TIME, _) => "19",
        _ => "",
    };
    let t = format!("{century}{text}");
    let at = |from: usize, to: usize| t.get(from..to);
    Time::parse(&format!("{}-{}-{}T{}:{}:{}Z", at(0, 4)?, at(4, 6)?, at(6, 8)?, at(8, 10)?, at(10, 12)?, at(12, 14)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrapped(tag: u8, content: &[u8]) -> Vec<u8> {
        let mut der = vec![tag, 0x82, (content.len() >> 8) as u8, content.len() as u8];
        der.extend_from_slice(content);
        der
    }

    #[test]
    fn the_end_is_found() {
        let times = |kind: u8, end: &str| {
            let both = [wrapped(0x17, b"260101000000Z"), wrapped(kind, end.as_bytes())].concat();
            let parts = [
                wrapped(0xa0, &[2, 1, 2]),
                wrapped(2, &[9; 20]),
                wrapped(0x30, &[6, 1, 1]),
                wrapped(0x30, &[]),
                wrapped(0x30, &both),
                wrapped(0x30, &[]),
            ];
            let with = wrapped(0x30, &wrapped(0x30, &parts.concat()));
            let without = wrapped(0x30, &wrapped(0x30, &parts[1..].concat()));
            assert_eq!(not_after(&with), not_after(&without));
            not_after(&with).map(|t| t.utc())
        };
        assert_eq!(times(0x17, "270131235959Z").as_deref(), Some("2027-01-31T23:59:59Z"));
        assert_eq!(times(0x18, "20510101000000Z").as_deref(), Some("2051-01-01T00:00:00Z"));
        assert_eq!(times(0x17, "soon"), None);
        assert_eq!(not_after(b"\x30\x84\xff\xff\xff\xff"), None);
    }
}
