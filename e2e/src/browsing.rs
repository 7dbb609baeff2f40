//! What people do with the console in a browser, from signing in to taking an exclusion back, in front of a whole stack.

mod access;
mod accessible;
mod data;
mod pictures;
mod poison;
pub mod speed;
mod versions;
mod views;
mod visit;
mod walk;

use crate::{binaries::Binaries, browser::Browser};
use std::{env, path::PathBuf, pin::Pin, process::ExitCode, time::Instant};
use visit::Visit;

/// Which walks, and what of them is kept.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// Only those whose name contains this.
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// Take pictures of all pages into this folder instead.
    #[arg(long, value_name = "DIR")]
    pictures: Option<PathBuf>,
    /// How wide they are.
    #[arg(long, default_value_t = 1280, value_name = "PIXELS")]
    width: u32,
}

type Outcome<'a> = Pin<Box<dyn Future<Output = anyhow::Result<()>> + 'a>>;

/// What is promised, and how it is shown.
struct Walk {
    name: &'static str,
    show: fn(&Visit) -> Outcome<'_>,
}

const WALKS: &[Walk] = &[
    Walk {
        name: "sign in; an attack appears by itself; search, group, open, go back",
        show: |visit| Box::pin(walk::attacks(visit)),
    },
    Walk {
        name: "from an attack to why it is one, to an exclusion after a look at what it silences; and undone",
        show: |visit| Box::pin(walk::false_alarm(visit)),
    },
    Walk {
        name: "without scripts: charts, search, a blocked source and a virtual patch, undone",
        show: |visit| Box::pin(walk::without_scripts(visit)),
    },
    Walk {
        name: "a search is kept as a view, opened, renamed and deleted; with scripts and without",
        show: |visit| Box::pin(views::kept(visit)),
    },
    Walk {
        name: "versions of rules are compared and gone back to, and a rule is tried before it holds",
        show: |visit| Box::pin(versions::of_rules(visit)),
    },
    Walk {
        name: "users, tokens and sessions: made, shown to who may see them, ended",
        show: |visit| Box::pin(access::managed(visit)),
    },
    Walk { name: "the files of a search hold what it finds", show: |visit| Box::pin(walk::files(visit)) },
    Walk {
        name: "what attackers write is text on every page, and nothing of it runs",
        show: |visit| Box::pin(poison::everywhere(visit)),
    },
    Walk {
        name: "every page keeps to WCAG 2.1 AA, in both themes, wide and at 360 px",
        show: |visit| Box::pin(accessible::pages(visit)),
    },
];

/// Runs the walks, each in a browser and a stack of its own; exits 1 when one fails. A machine without Chromium says so and
/// is done, but where `CI` is set it must have one.
pub async fn run(options: Options) -> anyhow::Result<ExitCode> {
    let Some(program) = Browser::program() else {
        println!("skipped: there is no Chromium on this machine");
        return Ok(if env::var_os("CI").is_some() { ExitCode::FAILURE } else { ExitCode::SUCCESS });
    };
    let binaries = Binaries::build()?;
    if let Some(folder) = &options.pictures {
        let visit = Visit::start(&binaries, &program).await?;
        let taken = pictures::take(&visit, folder, options.width).await;
        visit.end().await;
        return taken.map(|()| ExitCode::SUCCESS);
    }
    let mut failed = false;
    for walk in WALKS.iter().filter(|walk| walk.name.contains(options.only.as_deref().unwrap_or_default())) {
        let start = Instant::now();
        let visit = Visit::start(&binaries, &program).await?;
        let mut result = (walk.show)(&visit).await;
        if result.is_ok() {
            result = visit.is_quiet();
        }
        visit.end().await;
        let seconds = start.elapsed().as_secs_f64();
        match &result {
            Ok(()) => println!("ok     {} ({seconds:.1} s)", walk.name),
            Err(error) => println!("FAILED {} ({seconds:.1} s): {error:#}", walk.name),
        }
        failed |= result.is_err();
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
