//! The Python client: its own tests, what a program does with it against the running server, and the programs that the
//! documents print, with only the address and the key changed. Where there is no Python it is skipped.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::house::CHROME;
use crate::running::Running;

const CLIENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/clients/python");
/// The document that prints the programs.
const PRINTED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/seeds/001_3ca6cf8bb0ac4e3e.txt");

/// What Python says; None where there is none on this machine.
fn python(args: &[&str], env: &[(&str, &str)]) -> Option<Output> {
    let mut command = Command::new("python3");
    command.args(args).current_dir(CLIENT).env("PYTHONDONTWRITEBYTECODE", "1").envs(env.iter().copied());
    match command.output() {
        Ok(output) => Some(output),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            println!("skipped: there is no python3");
            None
        }
        Err(e) => panic!("python3 could not be run: {e}"),
    }
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// A shop with a token, Meta in shadow mode, and a click on a link of its newsletter.
struct Shop {
    server: Running,
    token: String,
    click: String,
}

fn shop(name: &str) -> Shop {
    let mut server = Running::new(name);
    server.cli(&["site", "add", "--name", "shop", "--domain", "shop.example", "--currency", "USD", "--consent", "opt-out"]);
    let token = server.cli(&["token", "create", "--site", "shop", "--name", "python", "--scope", "read,write,sync,export"]);
    let meta = [
        "connection",
        "add",
        "--site",
        "shop",
        "--platform",
        "meta",
        "--set",
        "pixel_id=123456789012345",
        "--set",
        "access_token=EAAx0123456789",
    ];
    server.cli(&meta);
    server.cli(&["affiliate", "add", "--site", "shop", "--code", "aff_12345", "--name", "Ann", "--commission", "10%"]);
    let link = [
        "link",
        "add",
        "--site",
        "shop",
        "--to",
        "https://shop.example/",
        "--utm_source",
        "newsletter",
        "--utm_medium",
        "email",
        "--affiliate",
        "aff_12345",
    ];
    let link = server.cli(&link);
    server.start();
    let path = format!("/l/{}", link["code"].as_str().expect("a code"));
    let went = server.get(&path, &[("user-agent", CHROME)]).expect("an answer");
    assert_eq!(went.status, 302, "{}", went.text);
    let click = went.header("location").rsplit("halo_click=").next().expect("a click id").to_owned();
    Shop { server, token: token["token"].as_str().expect("a token").to_owned(), click }
}

#[test]
fn its_own_tests_pass() {
    let Some(output) = python(&["-m", "unittest", "discover", "-s", "tests"], &[]) else { return };
    assert!(output.status.success(), "{}", said(&output));
}

#[test]
fn a_program_goes_from_a_click_to_the_report() {
    let shop = shop("python");
    let url = shop.server.url();
    let env =
        [("ANYTRACK_BASE_URL", url.as_str()), ("ANYTRACK_API_KEY", &shop.token), ("ANYTRACK_ACCOUNT_ID", "shop"), ("CLICK", &shop.click)];
    let Some(output) = python(&["tests/flows.py"], &env) else { return };
    assert!(output.status.success() && said(&output).contains("done"), "{}", said(&output));
}

/// The programs as they are printed: their titles, in the order in which each goes on with what the one before it has.
#[test]
fn the_printed_programs_run() {
    let Ok(text) = std::fs::read_to_string(PRINTED) else {
        println!("skipped: the documents are not here");
        return;
    };
    let shop = shop("python-printed");
    let bearer = format!("Bearer {}", shop.token);
    // Visits by the click ids that are printed.
    let folder = std::env::temp_dir().join(format!("halotrack-python-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let csv = folder.join("monthly.csv");
    let touch = |click: &str| {
        let body = json!({"landing": format!("/?utm_source=facebook_ads&utm_medium=cpc&halo_click={click}"), "user_agent": CHROME});
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
        assert_eq!(shop.server.post("/api/touch", &headers, body.to_string().as_bytes()).expect("an answer").status, 200);
    };
    ["clk_abc123", "clk_ecommerce_001"].into_iter().for_each(touch);
    let mut program = String::from("import os\n");
    for title in ["## Quick Start", "### Complete E-commerce Flow", "### Batch Processing"] {
        let (_, rest) = text.split_once(&format!("{title}\n")).unwrap_or_else(|| panic!("{title} is printed"));
        let (_, code) = rest.split_once("```python\n").expect("a program");
        program.push_str(code.split("```").next().expect("its end"));
        program.push_str(&format!("\nprint({:?})\n", format!("{title} ran")));
    }
    let program = program
        .replace("\"your_api_key\"", &format!("{:?}", shop.token))
        .replace("\"your_account_id\"", "\"shop\"")
        .replace("/tmp/monthly_conversions.csv", csv.to_str().expect("a path"));
    let file = folder.join("printed.py");
    std::fs::write(&file, program).expect("it is written");
    let url = shop.server.url();
    let env = [
        ("ANYTRACK_BASE_URL", url.as_str()),
        ("ANYTRACK_API_KEY", &shop.token),
        ("ANYTRACK_ACCOUNT_ID", "shop"),
        ("PYTHONPATH", CLIENT),
        ("PYTHONWARNINGS", "ignore"),
    ];
    let output = python(&[file.to_str().expect("a path")], &env);
    let exported = std::fs::read_to_string(&csv).unwrap_or_default();
    let _ = std::fs::remove_dir_all(&folder);
    let Some(output) = output else { return };
    let told = said(&output);
    assert!(output.status.success(), "{told}");
    for line in [
        "Revenue: $",
        "Attribution model: ",
        "Customer touched 1 points",
        "Today's revenue: $",
        "Exported to: ",
        "### Batch Processing ran",
    ] {
        assert!(told.contains(line), "{line}: {told}");
    }
    assert!(exported.lines().count() == 3 && exported.starts_with("id,click_id,conversion_type,revenue,"), "{exported}");
    let headers = [("authorization", bearer.as_str())];
    let all: Value = shop.server.get("/api/conversions", &headers).expect("an answer").json();
    assert_eq!(all["data"].as_array().map(Vec::len), Some(2), "{all}");
}

/// The client rounds to the digits that the server counts in.
#[test]
fn it_knows_the_digits_of_currencies_as_the_server_does() {
    let letters = || b'A'..=b'Z';
    let codes =
        letters().flat_map(|a| letters().flat_map(move |b| letters().map(move |c| String::from_utf8_lossy(&[a, b, c]).into_owned())));
    let known: std::collections::BTreeMap<String, u32> =
        codes.filter_map(|code| halotrack::domain::money::Currency::parse(&code).map(|currency| (code, currency.digits()))).collect();
    assert!(known.len() > 150, "{}", known.len());
    let program = format!(
        "import json\nfrom integrations import anytrack\nknown = json.loads({:?})\n\
         wrong = {{code: anytrack._digits(code) for code, digits in known.items() if anytrack._digits(code) != digits}}\n\
         assert not wrong, wrong\n",
        json!(known).to_string()
    );
    let Some(output) = python(&["-c", &program], &[]) else { return };
    assert!(output.status.success(), "{}", said(&output));
}

/// Every name that the document lists is there, under the module that it is imported from.
#[test]
fn the_listed_names_are_there() {
    if !Path::new(PRINTED).exists() {
        println!("skipped: the documents are not here");
        return;
    }
    let text = std::fs::read_to_string(PRINTED).expect("the document");
    let methods: Vec<&str> =
        text.lines().filter_map(|l| l.strip_prefix("#### `")?.strip_suffix("()`")).filter(|m| m.starts_with(char::is_lowercase)).collect();
    assert_eq!(methods.len(), 14, "{methods:?}");
    let program = format!(
        "from integrations import AnytrackIntegration, AnytrackConversion, AffiliatePerformance, AnytrackAPIError, ConversionType\n\
         import dataclasses, enum\n\
         assert all(callable(getattr(AnytrackIntegration, name)) for name in {methods:?})\n\
         assert issubclass(ConversionType, enum.Enum) and issubclass(AnytrackAPIError, Exception)\n\
         assert dataclasses.is_dataclass(AnytrackConversion) and dataclasses.is_dataclass(AffiliatePerformance)\n"
    );
    let Some(output) = python(&["-c", &program], &[]) else { return };
    assert!(output.status.success(), "{}", said(&output));
}
