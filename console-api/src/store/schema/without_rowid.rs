//! SQLite keeps the rows of a table in the order of their keys only `without rowid`, which no other database knows. What is
//! counted by attack lies together then: it is read, and grows, attack by attack.

use crate::store::Connection;
use sqlx::{AssertSqlSafe, Connection as _};

const TABLES: [&str; 4] = ["attack_sources", "attack_times", "attack_statuses", "attack_terms"];

/// Makes those tables so that are not, once.
pub(crate) async fn rebuild(connection: &mut Connection) -> Result<(), sqlx::Error> {
    for table in TABLES {
        let (made,): (String,) =
            sqlx::query_as("select sql from sqlite_master where type = 'table' and name = $1")
                .bind(table)
                .fetch_one(&mut *connection)
                .await?;
        if !made.to_lowercase().ends_with("without rowid") {
            make_anew(connection, table, &made).await?;
        }
    }
    Ok(())
}

/// `made`: the statement that made it.
async fn make_anew(connection: &mut Connection, table: &str, made: &str) -> Result<(), sqlx::Error> {
    let mut transaction = connection.begin().await?;
    // A key without an index of its own has no statement.
    let indexes: Vec<(String,)> = sqlx::query_as(
        "select sql from sqlite_master where type = 'index' and tbl_name = $1 and sql is not null",
    )
    .bind(table)
    .fetch_all(&mut *transaction)
    .await?;
    let new = format!("{table}_in_order");
    let mut statements = vec![
        format!("{} without rowid", made.replacen(table, &new, 1)),
        format!("insert into {new} select * from {table}"),
        format!("drop table {table}"),
        format!("alter table {new} rename to {table}"),
    ];
    statements.extend(indexes.into_iter().map(|(index,)| index));
    for statement in statements {
        sqlx::query(AssertSqlSafe(statement)).execute(&mut *transaction).await?;
    }
    transaction.commit().await
}
