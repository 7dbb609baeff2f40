//! Import graph of a source tree without its tests, read from the text: `crate::…`, `self::…` and
//! `super::…` paths.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::Path,
};

/// The unit of a graph's nodes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Granularity {
    /// The modules that `lib.rs` or `main.rs` declares, each with its submodules.
    TopModules,
    /// Every file. A parent that only re-exports an item of a submodule does not import it.
    Files,
}

/// A module path below the crate's root, such as `["store", "search"]`.
type Module = Vec<String>;

/// Module → imported module → `file:line` of one import.
pub(crate) struct Imports {
    granularity: Granularity,
    edges: BTreeMap<Module, BTreeMap<Module, String>>,
}

struct Source {
    module: Module,
    file: String,
    code: String,
}

impl Imports {
    pub(crate) fn read(root: &Path, granularity: Granularity) -> io::Result<Self> {
        let mut sources = Vec::new();
        collect(root, root, &mut sources)?;
        let modules: BTreeSet<Module> = sources.iter().map(|source| source.module.clone()).collect();
        let reexports: BTreeMap<Module, Module> = sources.iter().flat_map(reexports).collect();
        let mut edges: BTreeMap<Module, BTreeMap<Module, String>> = BTreeMap::new();
        for source in sources.iter().filter(|source| !source.module.is_empty()) {
            let from = node(&source.module, granularity);
            let targets = edges.entry(from.clone()).or_default();
            for (path, line) in paths(source, &modules) {
                let target = resolve(path, &modules, &reexports);
                let to = node(&target, granularity);
                if !to.is_empty() && to != from {
                    targets.entry(to).or_insert_with(|| format!("{}:{line}", source.file));
                }
            }
        }
        Ok(Self { granularity, edges })
    }

    pub(crate) fn modules(&self) -> usize {
        self.edges.len()
    }

    /// Each set of modules that import each other in a cycle, as text with one import per edge.
    pub(crate) fn cycles(&self) -> Vec<String> {
        let reachable: BTreeMap<&Module, BTreeSet<&Module>> =
            self.edges.keys().map(|module| (module, self.reachable(module))).collect();
        let mut described = Vec::new();
        let mut seen = BTreeSet::new();
        for (module, reached) in &reachable {
            let cycle: BTreeSet<&Module> = reached
                .iter()
                .copied()
                .filter(|other| reachable.get(*other).is_some_and(|back| back.contains(module)))
                .collect();
            if !cycle.is_empty() && seen.insert(cycle.clone()) {
                described.push(self.describe(&cycle));
            }
        }
        described
    }

    fn reachable<'m>(&'m self, from: &Module) -> BTreeSet<&'m Module> {
        let mut reached = BTreeSet::new();
        let mut open: Vec<&Module> = self.edges[from].keys().collect();
        while let Some(module) = open.pop() {
            if reached.insert(module) {
                open.extend(self.edges.get(module).into_iter().flat_map(BTreeMap::keys));
            }
        }
        reached
    }

    fn describe(&self, cycle: &BTreeSet<&Module>) -> String {
        let separator = if self.granularity == Granularity::Files { "::" } else { "" };
        let mut edges = Vec::new();
        for from in cycle {
            for (to, location) in self.edges[*from].iter().filter(|(to, _)| cycle.contains(to)) {
                edges.push(format!("{} -> {}: {location}", from.join(separator), to.join(separator)));
            }
        }
        edges.join("; ")
    }
}

/// Every file below `directory` that is not a test.
fn collect(root: &Path, directory: &Path, sources: &mut Vec<Source>) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if name == "tests" || name == "bin" || name == "snapshots" {
            continue;
        }
        if path.is_dir() {
            collect(root, &path, sources)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let below = path.strip_prefix(root).expect("found below the root");
            let mut module: Module =
                below.with_extension("").iter().map(|part| part.to_string_lossy().into_owned()).collect();
            if module.len() == 1 && matches!(name.as_str(), "lib" | "main") {
                module.clear();
            }
            let code = without_tests(&without_comments(&fs::read_to_string(&path)?));
            sources.push(Source { module, file: below.display().to_string(), code });
        }
    }
    Ok(())
}

/// The node of the graph that a module belongs to.
fn node(module: &[String], granularity: Granularity) -> Module {
    match granularity {
        Granularity::TopModules => module.iter().take(1).cloned().collect(),
        Granularity::Files => module.to_vec(),
    }
}

/// The module in which the item named by a path is defined: the longest prefix that is a module,
/// re-exports followed.
fn resolve(path: Module, modules: &BTreeSet<Module>, reexports: &BTreeMap<Module, Module>) -> Module {
    let mut path = path;
    for _ in 0..8 {
        let Some((length, target)) =
            (1..=path.len()).find_map(|length| Some((length, reexports.get(&path[..length])?)))
        else {
            break;
        };
        path = [target.as_slice(), &path[length..]].concat();
    }
    while !path.is_empty() && !modules.contains(&path) {
        path.pop();
    }
    path
}

/// `pub use` items, which make an item of one module nameable in another: the name → its target.
fn reexports(source: &Source) -> Vec<(Module, Module)> {
    let mut pairs = Vec::new();
    for (start, _) in source.code.match_indices("use ") {
        let before = source.code[..start].trim_end();
        let line = before.rsplit(['\n', ';', '}']).next().unwrap_or_default();
        if !line.trim_start().starts_with("pub") {
            continue;
        }
        let text = &source.code[start + 4..];
        let mut tree = Vec::new();
        expand(&mut text.chars().peekable(), &[], &mut tree);
        for path in tree {
            let Some(name) = path.last().cloned() else { continue };
            let target =
                absolute(&source.module, &path).unwrap_or_else(|| [source.module.as_slice(), &path].concat());
            let alias = [source.module.as_slice(), &[name]].concat();
            if alias != target {
                pairs.push((alias, target));
            }
        }
    }
    pairs
}

/// The absolute paths in a file, each with its line.
fn paths(source: &Source, modules: &BTreeSet<Module>) -> Vec<(Module, usize)> {
    let roots = ["crate", "super", "self"].into_iter().flat_map(|root| occurrences(&source.code, root));
    let below = submodules(source, modules).flat_map(|name| occurrences(&source.code, name));
    let below = below.filter(|&start| !is_reexport(&source.code[..start]));
    let mut starts: Vec<usize> = roots.chain(below).collect();
    starts.sort_unstable();
    let mut absolute_paths = Vec::new();
    for start in starts {
        let line = source.code[..start].matches('\n').count() + 1;
        let mut tree = Vec::new();
        expand(&mut source.code[start..].chars().peekable(), &[], &mut tree);
        let absolute = |path: Module| {
            absolute(&source.module, &path).unwrap_or_else(|| [source.module.as_slice(), &path].concat())
        };
        absolute_paths.extend(tree.into_iter().map(|path| (absolute(path), line)));
    }
    absolute_paths
}

/// The names of a module's own submodules.
fn submodules<'m>(source: &Source, modules: &'m BTreeSet<Module>) -> impl Iterator<Item = &'m str> {
    let below = modules.iter().filter_map(|module| module.strip_prefix(source.module.as_slice()));
    below.filter_map(|rest| if let [name] = rest { Some(name.as_str()) } else { None })
}

/// Where paths start with `root`.
fn occurrences(code: &str, root: &str) -> impl Iterator<Item = usize> {
    let is_start = |code: &str| !code.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':');
    let paths = code.match_indices(root).filter(|(at, _)| code[at + root.len()..].starts_with("::"));
    paths.map(|(at, _)| at).filter(move |&at| is_start(&code[..at]))
}

/// Whether the code before a path starts its statement with `pub use`.
fn is_reexport(before: &str) -> bool {
    let statement = before.rsplit([';', '}']).next().unwrap_or_default().trim();
    statement.starts_with("pub") && statement.ends_with("use")
}

/// Makes `crate::…`, `self::…` and `super::…` absolute; `None` for any other path.
fn absolute(module: &[String], path: &[String]) -> Option<Module> {
    let mut base = match path.first()?.as_str() {
        "crate" => Vec::new(),
        "self" | "super" => module.to_vec(),
        _ => return None,
    };
    let mut rest = path;
    while let Some(first) = rest.first().filter(|first| matches!(first.as_str(), "crate" | "self" | "super"))
    {
        if first == "super" {
            base.pop();
        }
        rest = &rest[1..];
    }
    base.extend_from_slice(rest);
    Some(base)
}

/// Expands a use tree, `a::{b, c::d}`, into its paths. Stops at the first character that cannot
/// belong to it.
fn expand(text: &mut std::iter::Peekable<std::str::Chars<'_>>, prefix: &[String], paths: &mut Vec<Module>) {
    let mut path = prefix.to_vec();
    loop {
        while text.next_if(|c| c.is_whitespace()).is_some() {}
        if text.next_if_eq(&'{').is_some() {
            loop {
                expand(text, &path, paths);
                while text.next_if(|c| c.is_whitespace()).is_some() {}
                if text.next_if_eq(&',').is_none() {
                    break;
                }
            }
            text.next_if_eq(&'}');
            return;
        }
        let mut name = String::new();
        while let Some(c) = text.next_if(|c| c.is_alphanumeric() || matches!(c, '_' | '*')) {
            name.push(c);
        }
        if name.is_empty() {
            return;
        }
        if name != "*" && name != "self" || path.is_empty() {
            path.push(name);
        }
        if text.next_if_eq(&':').is_some() && text.next_if_eq(&':').is_some() {
            continue;
        }
        skip_alias(text);
        paths.push(path);
        return;
    }
}

/// Skips `as name` after a path.
fn skip_alias(text: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    let mut ahead = text.clone();
    let word = |ahead: &mut std::iter::Peekable<std::str::Chars<'_>>| {
        while ahead.next_if(|c| c.is_whitespace()).is_some() {}
        std::iter::from_fn(|| ahead.next_if(|c| c.is_alphanumeric() || *c == '_')).collect::<String>()
    };
    if word(&mut ahead) == "as" {
        word(&mut ahead);
        *text = ahead;
    }
}

/// Blanks line comments, which may name paths; line numbers stay.
fn without_comments(text: &str) -> String {
    let code = |line: &str| line.find("//").map_or(line.to_owned(), |comment| line[..comment].to_owned());
    text.lines().map(code).collect::<Vec<_>>().join("\n")
}

/// Blanks each item after `#[cfg(test)]`; line numbers stay.
fn without_tests(code: &str) -> String {
    let mut result = String::new();
    let mut rest = code;
    while let Some(start) = rest.find("#[cfg(test)]") {
        result += &rest[..start];
        let item = &rest[start..];
        let end = item_end(item);
        result.extend(item[..end].chars().filter(|&c| c == '\n'));
        rest = &item[end..];
    }
    result + rest
}

/// The end of an item: after its closing brace, or after a semicolon before any brace.
fn item_end(item: &str) -> usize {
    let mut depth = 0_usize;
    for (at, c) in item.char_indices() {
        match c {
            ';' if depth == 0 => return at + 1,
            '{' => depth += 1,
            '}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
    }
    item.len()
}
