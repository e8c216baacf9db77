//! The final table: one row for each flavour on each loop.

use std::io::{self, Write};

use coro_core::stats::Flavour;

use crate::loop_kind::LoopKind;

/// What one flavour did on one loop.
#[derive(Debug, Clone)]
pub struct Row {
    /// The engine.
    pub flavour: Flavour,
    /// What the loop waited with.
    pub loop_kind: LoopKind,
    /// How many programs gave what they should.
    pub equal: usize,
    /// How many programs were run.
    pub total: usize,
    /// How often this engine suspended to wait for a wake-up.
    pub parks: u64,
    /// How often this engine suspended at a yield.
    pub yields: u64,
    /// The figures of the crawl, if it was run.
    pub crawl: Option<Crawl>,
    /// What a resume cost, in nanoseconds.
    pub ns_per_resume: f64,
}

/// What one crawl found.
#[derive(Debug, Clone, Copy)]
pub struct Crawl {
    /// Pages fetched.
    pub pages: u64,
    /// Links found on them.
    pub links: u64,
    /// How long it took.
    pub seconds: f64,
}

/// Prints the rows under a head. The columns of the crawl are left out if no row has them.
///
/// # Errors
///
/// If `out` cannot be written.
pub fn print(rows: &[Row], out: &mut dyn Write) -> io::Result<()> {
    let crawled = rows.iter().any(|row| row.crawl.is_some());
    write!(out, "{:<10} {:<6} {:>9} {:>8} {:>8}", "flavour", "loop", "equal", "parks", "yields")?;
    if crawled {
        write!(out, " {:>6} {:>6} {:>8}", "pages", "links", "seconds")?;
    }
    writeln!(out, " {:>13}", "ns per resume")?;
    for row in rows {
        let equal = format!("{}/{}", row.equal, row.total);
        let Row { flavour, loop_kind, parks, yields, ns_per_resume, .. } = row;
        write!(out, "{flavour:<10} {loop_kind:<6} {equal:>9} {parks:>8} {yields:>8}")?;
        match row.crawl {
            Some(Crawl { pages, links, seconds }) => {
                write!(out, " {pages:>6} {links:>6} {seconds:>8.3}")?;
            }
            None if crawled => write!(out, " {0:>6} {0:>6} {0:>8}", "-")?,
            None => {}
        }
        writeln!(out, " {ns_per_resume:>13.1}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(crawl: Option<Crawl>) -> Row {
        let (flavour, loop_kind) = (Flavour::Fiber, LoopKind::Sim);
        Row { flavour, loop_kind, equal: 17, total: 18, parks: 1234, yields: 56, crawl, ns_per_resume: 78.91 }
    }

    fn printed(rows: &[Row]) -> String {
        let mut out = Vec::new();
        print(rows, &mut out).expect("a vector can be written");
        String::from_utf8(out).expect("the table is text")
    }

    #[test]
    fn rows_without_a_crawl_leave_its_columns_out() {
        let expected = "\
flavour    loop       equal    parks   yields ns per resume
fiber      sim        17/18     1234       56          78.9
";
        assert_eq!(printed(&[row(None)]), expected);
    }

    #[test]
    fn rows_with_a_crawl_show_its_figures() {
        let crawl = Crawl { pages: 8, links: 440, seconds: 0.25 };
        let expected = "\
flavour    loop       equal    parks   yields  pages  links  seconds ns per resume
fiber      sim        17/18     1234       56      8    440    0.250          78.9
fiber      sim        17/18     1234       56      -      -        -          78.9
";
        assert_eq!(printed(&[row(Some(crawl)), row(None)]), expected);
    }
}
