use crate::harness::Console;
use insta::assert_json_snapshot;

#[tokio::test]
async fn a_node_is_known_by_its_deliveries() {
    let console = Console::start().await;
    console.ingest(&[]).await;
    assert_json_snapshot!(console.body("/api/v1/nodes").await);
}
