//! Requests whose bodies are sent while they arrive.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::timeout;

use super::pool::Connection;
use super::{Client, ClientError, connect, framed, read_final_head};
use crate::http1::body::BodyError;
use crate::http1::respond::chunk;
use crate::http1::stream::Writer;
use crate::http1::{Body, Request, Response};

/// Why a body was not sent to its end.
enum Unsent {
    Body(BodyError),
    Server,
}

impl Client {
    /// Over a new connection: a kept one may turn out to be closed, and the body can be sent only
    /// once. The body continues while the response is read, as the server may respond first.
    pub(super) async fn stream(
        &self,
        address: SocketAddr,
        mut request: Request<Body>,
    ) -> Result<Response<Body>, ClientError> {
        let no_answer = |_| ClientError::Timeout(self.timeout);
        let connected = timeout(self.timeout, connect(address)).await;
        let Connection { mut reader, writer } = connected.map_err(no_answer)??;
        let body = std::mem::take(&mut request.body);
        let head = framed(&request, body.length());
        let mut sending = tokio::spawn(send(writer, head, body, self.timeout));
        let head = {
            let head = read_final_head(&mut reader);
            tokio::pin!(head);
            tokio::select! {
                head = &mut head => head?,
                sent = &mut sending => match sent {
                    Ok(Err(Unsent::Body(error))) => return Err(ClientError::RequestBody(error)),
                    // If the server stopped reading, it may say why.
                    _ => timeout(self.timeout, head).await.map_err(no_answer)??,
                },
            }
        };
        self.response(address, reader, None, head, &request)
    }
}

async fn send(mut to: Writer, head: Vec<u8>, mut body: Body, limit: Duration) -> Result<(), Unsent> {
    let chunked = body.length().is_none();
    let mut bytes = Bytes::from(head);
    loop {
        to.write_within(&bytes, limit).await.map_err(|_| Unsent::Server)?;
        bytes = match body.next().await.map_err(Unsent::Body)? {
            Some(part) if chunked => chunk(&part),
            Some(part) => part,
            None => break,
        };
    }
    if chunked {
        to.write_within(&chunk(b""), limit).await.map_err(|_| Unsent::Server)?;
    }
    Ok(())
}
