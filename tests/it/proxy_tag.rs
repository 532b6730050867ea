//! The tag in pages that go through the proxy: put in while they stream, in the one place, and in no page that it would break.

use crate::upstream::{PIECES, RECEIPT, Street};

/// A shop whose owner wants the tag in its pages, and the line that is to be found there.
async fn tagged() -> (Street, String) {
    let street = Street::open().await;
    street.set("proxy.inject", "true").await;
    let line = format!("<script defer src=\"//shop.example/t.js\" data-site=\"{}\"></script>", street.site.key);
    (street, line)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_goes_into_the_one_place_however_the_page_comes() {
    let (street, line) = tagged().await;
    let with_nonce = line.replace("></script>", " nonce=\"0fPage=\"></script>");
    let want = PIECES.replace("</script></head><body>", &format!("</script>{with_nonce}</head><body>"));
    for size in [1, 7, 64, 4_096] {
        assert_eq!(street.open_page(&format!("/pieces?size={size}"), "").await.is(200).text(), want, "pieces of {size}");
    }
    // A page that leaves out all that may be left out has it at its end.
    let bare = street.open_page("/bare", "").await.is(200).text();
    assert_eq!(bare, format!("<!doctype html><title>Bare</title><p>Nothing is closed{line}"));
    // A head of hundreds of kilobytes, in one piece.
    let large = street.open_page("/large", "").await.is(200);
    assert_eq!((large.text().matches(&line).count(), large.header("content-length")), (1, ""));
    assert!(large.text().contains(&format!("</style>{line}</head>")));
    // Not where a script of the shop's writes another page, nor where nothing runs.
    let receipt = street.open_page("/receipt", "").await.is(200).text();
    assert_eq!(receipt, RECEIPT.replace("//--></script></head>", &format!("//--></script>{line}</head>")));
    // Letters that are told by the page alone, and are no UTF-8: all bytes but the line stay.
    let latin = street.open_page("/latin", "").await.is(200).body;
    let place = latin.windows(line.len()).position(|w| w == line.as_bytes()).expect("it is there");
    let rest = [&latin[..place], &latin[place + line.len()..]].concat();
    assert_eq!(rest, b"<head><meta charset=iso-8859-1><title>caf\xe9</title></head>");
    street.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_it_would_break_stays_to_the_byte() {
    let (street, line) = tagged().await;
    street.set("proxy.inject", "false").await;
    let mut plain = Vec::new();
    let pages = [
        ("GET", "/wide", ""),
        ("GET", "/xml", ""),
        ("GET", "/packed", ""),
        ("GET", "/part", "Range: bytes=0-29\r\n"),
        ("GET", "/known", "If-None-Match: W/\"page\"\r\n"),
        ("GET", "/nothing", ""),
        ("GET", "/empty", ""),
        ("HEAD", "/page", ""),
        ("POST", "/page", ""),
        ("GET", "/picture", ""),
    ];
    let ask = async |method: &str, path: &str, more: &str| {
        let mut said = street.ask(method, path, &format!("{}{more}", crate::upstream::BROWSER), b"").await;
        said.headers.retain(|(name, value)| !(name == "set-cookie" && value.starts_with("_halo=")) && name != "x-accepts");
        (said.status, said.headers, said.body)
    };
    for (method, path, more) in pages {
        plain.push(ask(method, path, more).await);
    }
    street.set("proxy.inject", "true").await;
    for ((method, path, more), plain) in pages.into_iter().zip(plain) {
        assert_eq!(ask(method, path, more).await, plain, "{method} {path}");
    }
    // A visitor who has the page is told so, by the weak name under which the changed one was given.
    let given = street.open_page("/page", "").await.is(200);
    assert!(given.header("etag") == "W/\"page\"" && given.text().contains(&line), "{}", given.head);
    // Only a page that is packed for us is left alone: asked for through us it comes as it is.
    assert_eq!(given.header("x-accepts"), "none");
    street.close().await;
}
