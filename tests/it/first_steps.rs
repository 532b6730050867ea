//! The first steps of the README, run as they are printed.

use std::process::Command;

use crate::running::Running;

const README: &str = include_str!("../../README.md");

/// The commands of the section, each as it is printed.
fn printed() -> Vec<&'static str> {
    let (_, steps) = README.split_once("## From nothing to the first number").expect("the section");
    let (steps, _) = steps.split_once("Shops are connected").expect("its end");
    steps.lines().map(str::trim).filter(|line| line.starts_with("halotrack ")).collect()
}

/// What a shell says to a line, and whether it went well.
fn run(server: &Running, line: &str) -> (bool, String) {
    let plain = server.command(&[]);
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", &format!("halotrack() {{ \"{}\" \"$@\"; }}; {line}", env!("CARGO_BIN_EXE_halotrack"))]);
    shell.current_dir(&server.folder).env_clear();
    shell.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let done = shell.output().expect("a shell");
    (done.status.success(), format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr)))
}

#[test]
fn the_first_steps_work_letter_by_letter() {
    let server = Running::new("first-steps");
    std::fs::write(server.folder.join("meta.token"), "EAAB0123456789\n").expect("a file");
    let commands = printed();
    assert!(commands.len() >= 5, "{commands:?}");
    for line in &commands {
        let (is_well, said) = run(&server, line);
        assert!(is_well, "{line}: {said}");
    }
    let last = server.cli(&["connection", "list", "--site", "harrow-lane"]);
    let modes: Vec<_> = last.as_array().into_iter().flatten().map(|c| (c["platform"].clone(), c["mode"].clone())).collect();
    assert!(modes.iter().any(|(platform, mode)| platform == "meta" && mode == "live"), "{last:#}");
    // The site was there already: it is shown again, and nothing else happens.
    let (is_well, said) = run(&server, commands[0]);
    assert!(is_well && said.contains("Site harrow-lane is there already") && said.contains("<script defer"), "{said}");
    assert_eq!(server.cli(&["site", "list"]).as_array().map(Vec::len), Some(1));
    let (_, listed) = run(&server, "halotrack site list");
    assert!(listed.contains("For the head of every page of harrow-lane: <script defer"), "{listed}");
    // Under another name it is said whose the domain is, with what its pages need.
    let (is_well, said) = run(&server, "halotrack site add --name Other --domain harrowlane.example");
    assert!(!is_well && said.contains("is the site harrow-lane (Harrow Lane) already") && said.contains("data-site="), "{said}");
}
