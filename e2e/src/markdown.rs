//! Markdown tables with aligned columns, for measurements that documents quote.

use std::array;

/// A column's title and alignment.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Column {
    Text(&'static str),
    Number(&'static str),
}

impl Column {
    fn title(self) -> &'static str {
        match self {
            Self::Text(title) | Self::Number(title) => title,
        }
    }

    fn rule(self) -> &'static str {
        match self {
            Self::Text(_) => "---",
            Self::Number(_) => "---:",
        }
    }

    fn pad(self, cell: &str, width: usize) -> String {
        match self {
            Self::Text(_) => format!("{cell:<width$}"),
            Self::Number(_) => format!("{cell:>width$}"),
        }
    }
}

pub(crate) fn table<const N: usize>(columns: [Column; N], rows: &[[String; N]]) -> String {
    let title = columns.map(|column| column.title().to_owned());
    let width = |n: usize| [&title].into_iter().chain(rows).map(|row| row[n].chars().count()).max();
    let widths: [usize; N] = array::from_fn(|n| width(n).unwrap_or_default());
    let line = |row: &[String; N]| {
        let cells: [String; N] = array::from_fn(|n| columns[n].pad(&row[n], widths[n]));
        format!("| {} |", cells.join(" | "))
    };
    let rule = format!("|{}|", columns.map(Column::rule).join("|"));
    let lines: Vec<_> = [line(&title), rule].into_iter().chain(rows.iter().map(line)).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aligns_text_left_and_numbers_right() {
        let row = |what: &str, ratio: &str| [what.to_owned(), ratio.to_owned()];
        let table = table(
            [Column::Text(""), Column::Number("ratio")],
            &[row("one", "0.30×"), row("three", "12.00×")],
        );
        assert_eq!(table, "|       |  ratio |\n|---|---:|\n| one   |  0.30× |\n| three | 12.00× |");
    }
}
