//! Misuse of HTTP by single clients.

use crate::{
    alone_here,
    bystander::Bystander,
    node::{FOREVER, Node, call, send},
};
use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, TcpStream},
    time::Duration,
};

#[test]
fn rejects_endless_heads_early() {
    let _alone = alone_here();
    let mut node = Node::start("");
    let bystander = Bystander::watch(node.address);
    let line = format!("x-filler: {}\r\n", "y".repeat(1000));
    for beginning in [line.clone(), format!("x: {}", line.repeat(4)), "a: b\r\n".repeat(100)] {
        for _ in 0..20 {
            let mut stream = connect(&node);
            let _started = stream.write_all(b"POST /v1/inspect/request HTTP/1.1\r\n");
            let mut sent = 0;
            while sent < 100 << 20 && stream.write_all(beginning.as_bytes()).is_ok() {
                sent += beginning.len();
            }
            assert!(sent < 100 << 20, "the node accepts unlimited input");
        }
    }
    bystander.was_served();
    assert!(node.growth() < 32 << 20, "{} bytes", node.growth());
    node.assert_released();
}

#[test]
fn answers_pipelined_calls_with_bounded_buffers() {
    const CALLS: usize = 2_000;
    let _alone = alone_here();
    let mut node = Node::start("write_timeout: 2m");
    let bystander = Bystander::watch(node.address);
    let mut stream = connect(&node);
    let mut sender = stream.try_clone().unwrap();
    let sent = std::thread::spawn(move || {
        for _ in 0..CALLS / 100 {
            sender.write_all(&call().repeat(100)).unwrap();
        }
        sender.shutdown(Shutdown::Write).unwrap();
    });
    // The node must bound its buffers while the client reads nothing.
    std::thread::sleep(Duration::from_secs(1));
    let mut answers = String::new();
    stream.read_to_string(&mut answers).unwrap();
    sent.join().unwrap();
    assert_eq!(answers.matches("HTTP/1.1 200").count(), CALLS);
    bystander.was_served();
    assert!(node.growth() < 32 << 20, "{} bytes", node.growth());
    node.assert_released();
}

#[test]
fn half_closed_connections_get_a_response_or_are_closed() {
    let _alone = alone_here();
    let mut node = Node::start("");
    let bystander = Bystander::watch(node.address);
    let whole = call();
    for cut in (0..whole.len()).step_by(7) {
        let answer = send(node.address, &whole[..cut]).unwrap_or_default();
        assert!(!answer.contains("HTTP/1.1 200"), "{cut} bytes: {answer}");
    }
    assert!(send(node.address, &whole).unwrap().contains(r#""action":"block""#));
    let mut half_closed = Vec::new();
    for _ in 0..500 {
        let stream = connect(&node);
        stream.shutdown(Shutdown::Write).unwrap();
        half_closed.push(stream);
    }
    bystander.was_served();
    node.assert_released();
}

fn connect(node: &Node) -> TcpStream {
    let stream = TcpStream::connect(node.address).unwrap();
    stream.set_read_timeout(Some(FOREVER)).unwrap();
    stream.set_write_timeout(Some(FOREVER)).unwrap();
    stream
}
