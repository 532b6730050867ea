//! The modules that the first screen needs, as one file: browsers get them in one request. The files themselves stay as
//! they are written; each becomes a block of its own, and what it exports stands under its name.

use std::collections::BTreeMap;

/// What is linked, with all that it imports.
const ENTRIES: [&str; 2] = ["pages/overview.js", "app.js"];
/// Scripts of pages that are none of the dashboard: they and what they import stay as they are written.
const APART: [&str; 1] = ["docs.js"];
/// The name of the one file.
pub const CORE: &str = "core.js";

/// Scripts by name, as they are written; gives them as they are delivered.
pub fn bundled(scripts: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut order = Vec::new();
    for entry in ENTRIES {
        visit(scripts, entry, &mut order);
    }
    let is_linked = |name: &str| order.iter().any(|n| n == name);
    let mut core = String::from("export const $ = {};\n");
    for name in &order {
        let Some(text) = scripts.get(name) else { continue };
        let text = bare(text);
        let (code, names) = exports(&statics(&dynamics(&text, name, "", &is_linked), name, &is_linked).0);
        core.push_str(&format!("{{\n{code}\n$['{name}'] = {{ {} }};\n}}\n", names.join(", ")));
    }
    let mut all: BTreeMap<String, String> = BTreeMap::new();
    let mut apart = Vec::new();
    APART.iter().for_each(|name| visit(scripts, name, &mut apart));
    for (name, text) in scripts {
        if apart.contains(name) {
            all.insert(name.clone(), text.clone());
            continue;
        }
        if is_linked(name) {
            continue;
        }
        let up = "../".repeat(name.matches('/').count());
        let base = if up.is_empty() { "./" } else { up.as_str() };
        let (code, uses_core) = statics(&dynamics(text, name, base, &is_linked), name, &is_linked);
        let head = if uses_core || code.contains("$['") { format!("import {{ $ }} from '{base}{CORE}';\n") } else { String::new() };
        all.insert(name.clone(), format!("{head}{code}"));
    }
    all.insert(CORE.into(), core);
    all
}

/// A module after all that it imports.
fn visit(scripts: &BTreeMap<String, String>, name: &str, order: &mut Vec<String>) {
    if order.iter().any(|n| n == name) {
        return;
    }
    let Some(text) = scripts.get(name) else { return };
    for (_, _, from) in imports(text) {
        visit(scripts, &resolved(name, from), order);
    }
    // An import of its own importer would have put it here already.
    if !order.iter().any(|n| n == name) {
        order.push(name.to_owned());
    }
}

/// Static imports at the beginning of a line: where they stand, their names, and from where.
fn imports(text: &str) -> Vec<(std::ops::Range<usize>, &str, &str)> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(start) = text[at..].find("import {").map(|n| at + n) {
        at = start + 1;
        if start > 0 && !text[..start].ends_with('\n') {
            continue;
        }
        let Some(end) = text[start..].find(";\n").map(|n| start + n + 1) else { break };
        let statement = &text[start..end];
        let names = statement.split_once('{').and_then(|(_, rest)| rest.split_once('}')).map(|(names, _)| names);
        let from = statement.split_once("from '").and_then(|(_, rest)| rest.split_once('\'')).map(|(from, _)| from);
        if let (Some(names), Some(from)) = (names, from) {
            found.push((start..end, names, from));
        }
        at = end;
    }
    found
}

/// Imports of linked modules become names from their blocks. Says whether there was one.
fn statics(text: &str, name: &str, is_linked: &impl Fn(&str) -> bool) -> (String, bool) {
    let mut code = String::with_capacity(text.len());
    let mut at = 0;
    let mut any = false;
    for (range, names, from) in imports(text) {
        let from = resolved(name, from);
        if is_linked(&from) {
            code.push_str(&text[at..range.start]);
            code.push_str(&format!("const {{{}}} = $['{from}'];", names.replace(" as ", ": ")));
            at = range.end;
            any = true;
        }
    }
    code.push_str(&text[at..]);
    (code, any)
}

/// Imports on demand: of a linked module it is there at once, of another its address is seen from where this one lies.
fn dynamics(text: &str, name: &str, base: &str, is_linked: &impl Fn(&str) -> bool) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once("import('") {
        let Some((from, after)) = behind.split_once("')") else { break };
        code.push_str(before);
        let target = resolved(name, from);
        match is_linked(&target) {
            true => code.push_str(&format!("Promise.resolve($['{target}'])")),
            false => code.push_str(&format!("import('{}{target}')", if base.is_empty() { "./" } else { base })),
        }
        rest = after;
    }
    code.push_str(rest);
    code
}

/// The code without the comments that begin a line: they are a fifth of what a browser would fetch before its first page.
fn bare(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut is_inside = false;
    for line in text.lines() {
        let mut rest = line;
        loop {
            if is_inside {
                let Some((_, after)) = rest.split_once("*/") else {
                    rest = "";
                    break;
                };
                (rest, is_inside) = (after, false);
            }
            let Some(comment) = rest.trim_start().strip_prefix("/**") else { break };
            (rest, is_inside) = (comment, true);
        }
        let is_nothing = rest.trim().is_empty() || rest.trim_start().starts_with("//");
        if !is_nothing {
            code.push_str(rest);
            code.push('\n');
        }
    }
    code
}

/// The code without the word `export`, and the names that had it.
fn exports(text: &str) -> (String, Vec<String>) {
    let mut names = Vec::new();
    let lines = text.lines().map(|line| {
        let Some(rest) = line.strip_prefix("export ") else { return line };
        let declared = rest.trim_start_matches("async ").split_once(' ').map(|(_, name)| name).unwrap_or_default();
        let name: String = declared.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        names.push(name);
        rest
    });
    let code = lines.collect::<Vec<_>>().join("\n");
    (code, names)
}

/// `../dom.js` in `parts/menu.js` is `dom.js`.
fn resolved(name: &str, from: &str) -> String {
    let mut path: Vec<&str> = name.split('/').collect();
    path.pop();
    for part in from.split('/') {
        match part {
            "." => {}
            ".." => drop(path.pop()),
            part => path.push(part),
        }
    }
    path.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scripts() -> BTreeMap<String, String> {
        [
            ("dom.js", "// Elements.\nexport const h = 1;\nexport async function add(a) {\n  return a;\n}\n"),
            ("parts/menu.js", "import { h,\n  add as plus } from '../dom.js';\n/** @type {import('../dom.js').Kid} */\nexport class Menu {}\n"),
            ("pages/overview.js", "import { Menu } from '../parts/menu.js';\nexport const title = 'Overview';\nconst late = () => import('../parts/late.js');\n"),
            ("app.js", "import { h } from './dom.js';\nconst PAGES = [() => import('./pages/overview.js'), () => import('./pages/other.js')];\n"),
            ("parts/late.js", "import { h } from '../dom.js';\nexport const late = h;\n"),
            ("pages/other.js", "import { late } from '../parts/late.js';\nexport const title = 'Other';\nconst more = () => import('../parts/menu.js');\n"),
            ("docs.js", "import { h } from './dom.js';\n"),
        ]
        .into_iter()
        .map(|(name, text)| (name.to_owned(), text.to_owned()))
        .collect()
    }

    #[test]
    fn modules_become_blocks_in_the_order_of_their_imports() {
        let all = bundled(&scripts());
        let core = &all[CORE];
        let places: Vec<usize> = ["dom.js", "parts/menu.js", "pages/overview.js", "app.js"]
            .iter()
            .map(|name| core.find(&format!("$['{name}'] = {{")).unwrap_or_else(|| panic!("{name}: {core}")))
            .collect();
        assert!(places.is_sorted(), "{core}");
        assert!(core.contains("const { h,\n  add: plus } = $['dom.js'];") && core.contains("$['dom.js'] = { h, add };"), "{core}");
        assert!(core.contains("Promise.resolve($['pages/overview.js'])") && core.contains("import('./pages/other.js')"), "{core}");
        assert!(core.contains("import('./parts/late.js')") && !core.contains("\nexport class") && !core.contains("\nimport {"), "{core}");
    }

    #[test]
    fn comments_that_begin_a_line_are_left_out() {
        let text = "// What it is.\n\nconst a = 'x'; // stays\n/** @type {any} */ (a).b = 1;\n/**\n * Long,\n * and longer. */\nconst c = '/** no */ // comment';\n  /** one */ /** two */ d();\n";
        assert_eq!(bare(text), "const a = 'x'; // stays\n (a).b = 1;\nconst c = '/** no */ // comment';\n d();\n");
    }

    #[test]
    fn what_is_not_linked_takes_names_from_the_one_file() {
        let all = bundled(&scripts());
        assert!(!all.contains_key("app.js") && !all.contains_key("parts/menu.js"));
        assert_eq!(
            (&all["docs.js"], &all["dom.js"]),
            (&scripts()["docs.js"], &scripts()["dom.js"]),
            "the page of the API runs no dashboard"
        );
        assert_eq!(all["parts/late.js"], "import { $ } from '../core.js';\nconst { h } = $['dom.js'];\nexport const late = h;\n");
        assert!(all["pages/other.js"].starts_with("import { $ } from '../core.js';\nimport { late } from '../parts/late.js';"));
        assert!(all["pages/other.js"].contains("Promise.resolve($['parts/menu.js'])"));
    }
}
