//! Source files as the rules read them: code without comments and texts, and the texts by themselves.

use std::path::{Path, PathBuf};

/// One file.
pub struct Source {
    /// From the project's root, with forward slashes.
    pub path: String,
    pub whole: String,
    /// Without the tests at its end.
    pub own: String,
    /// The same with comments gone and texts emptied; lines stay where they were.
    pub code: String,
    /// Texts of the code, each with the line it begins in.
    pub strings: Vec<(usize, String)>,
}

pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every .rs file below a folder, in the order of their names. Files that are tests as a whole are left out of `src`.
pub fn sources(folder: &str) -> Vec<Source> {
    let mut paths = Vec::new();
    walk(&root().join(folder), &mut paths);
    paths.sort();
    let files: Vec<Source> = paths.iter().map(|p| read(p)).collect();
    let tests: Vec<String> = files.iter().flat_map(test_modules).collect();
    files.into_iter().filter(|f| !tests.contains(&f.path)).collect()
}

/// Lines, counted from one, that hold a word.
pub fn lines_with<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = (usize, &'a str)> {
    text.lines().enumerate().filter(move |(_, line)| line.contains(word)).map(|(n, line)| (n + 1, line))
}

fn walk(folder: &Path, paths: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.filter_map(Result::ok) {
        let path = entry.path();
        if path.is_dir() {
            walk(&path, paths);
        } else if path.extension().is_some_and(|e| e == "rs") {
            paths.push(path);
        }
    }
}

fn read(path: &Path) -> Source {
    let whole = std::fs::read_to_string(path).expect("a source file is text");
    let end = ["\n#[cfg(test)]\nmod tests {", "\n#[cfg(test)]\nmod tests;"].iter().find_map(|m| whole.find(m)).unwrap_or(whole.len());
    let own = whole[..end].to_owned();
    let (code, strings) = lex(&own);
    let path = path.strip_prefix(root()).unwrap_or(path).display().to_string().replace('\\', "/");
    Source { path, whole, own, code, strings }
}

/// `#[cfg(test)] mod sample;` makes `sample.rs` a test as a whole.
fn test_modules(file: &Source) -> Vec<String> {
    let folder = file.path.trim_end_matches("/mod.rs").trim_end_matches(".rs");
    let mut found = Vec::new();
    let mut lines = file.whole.lines();
    while let Some(line) = lines.next() {
        if line.trim() != "#[cfg(test)]" {
            continue;
        }
        let next = lines.next().unwrap_or_default().trim().trim_start_matches("pub ").trim_start_matches("pub(crate) ");
        if let Some(name) = next.strip_prefix("mod ").and_then(|n| n.strip_suffix(';')) {
            found.push(format!("{folder}/{name}.rs"));
        }
    }
    found
}

/// Takes comments and texts out of Rust source. Enough of the language for these rules, not more.
fn lex(source: &str) -> (String, Vec<(usize, String)>) {
    let chars: Vec<char> = source.chars().collect();
    let mut code = String::with_capacity(source.len());
    let mut strings = Vec::new();
    let (mut at, mut line) = (0, 1);
    let peek = |i: usize| chars.get(i).copied().unwrap_or('\0');
    while at < chars.len() {
        let c = chars[at];
        let is_word = at > 0 && (chars[at - 1].is_alphanumeric() || chars[at - 1] == '_');
        if c == '/' && peek(at + 1) == '/' {
            while at < chars.len() && chars[at] != '\n' {
                at += 1;
            }
        } else if c == '/' && peek(at + 1) == '*' {
            while at < chars.len() && !(chars[at] == '*' && peek(at + 1) == '/') {
                if chars[at] == '\n' {
                    code.push('\n');
                    line += 1;
                }
                at += 1;
            }
            at += 2;
        } else if c == 'r' && !is_word && (peek(at + 1) == '"' || (peek(at + 1) == '#' && matches!(peek(at + 2), '"' | '#'))) {
            let hashes = chars[at + 1..].iter().take_while(|c| **c == '#').count();
            let start = at + hashes + 2;
            let closing: String = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
            let mut end = start;
            while end < chars.len() && !chars[end..].starts_with(&closing.chars().collect::<Vec<_>>()) {
                end += 1;
            }
            keep(&chars[start..end], &mut line, &mut strings, &mut code);
            at = end + hashes + 1;
        } else if c == '"' {
            let start = at + 1;
            let mut end = start;
            while end < chars.len() && chars[end] != '"' {
                end += if chars[end] == '\\' { 2 } else { 1 };
            }
            keep(&chars[start..end.min(chars.len())], &mut line, &mut strings, &mut code);
            at = end + 1;
        } else if c == '\'' && (peek(at + 1) == '\\' || peek(at + 2) == '\'') {
            // A character; a lifetime has no closing mark.
            at += if peek(at + 1) == '\\' { 3 } else { 2 };
            while at < chars.len() && chars[at - 1] != '\'' && chars[at] != '\'' {
                at += 1;
            }
            if peek(at) == '\'' {
                at += 1;
            }
        } else {
            if c == '\n' {
                line += 1;
            }
            code.push(c);
            at += 1;
        }
    }
    (code, strings)
}

fn keep(text: &[char], line: &mut usize, strings: &mut Vec<(usize, String)>, code: &mut String) {
    strings.push((*line, text.iter().collect()));
    let breaks = text.iter().filter(|c| **c == '\n').count();
    *line += breaks;
    code.push_str("\"\"");
    code.extend(std::iter::repeat_n('\n', breaks));
}

#[test]
fn comments_and_texts_are_told_from_code() {
    let source = "let a = \"x // no\"; // yes\nlet b = r#\"y \" z\"#; /* gone\n */ let c = '\"'; let d: &'static str = \"\\\"\"; let e = '\\n';\nf();";
    let (code, strings) = lex(source);
    assert_eq!(code, "let a = \"\"; \nlet b = \"\"; \n let c = ; let d: &'static str = \"\"; let e = ;\nf();");
    assert_eq!(strings, [(1, "x // no".to_owned()), (2, "y \" z".to_owned()), (3, "\\\"".to_owned())]);
}
