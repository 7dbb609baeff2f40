//! The origin stage: origin functions, the origin, and failover.

use std::error::Error as _;
use std::io;

use super::{Edge, Fetched};
use crate::cloudfront::cache::Cached;
use crate::cloudfront::distribution::Origin;
use crate::cloudfront::event::Viewer;
use crate::cloudfront::failure::Failure;
use crate::cloudfront::outcome::RequestOutcome;
use crate::cloudfront::request::EdgeRequest;
use crate::cloudfront::{Trigger, forward, limits};
use crate::http1::{Body, Client, ClientError, Request, Response};

impl Edge {
    /// "Optimize high availability with CloudFront origin failover": both origins get the viewer's
    /// request, each with events of its own.
    pub(super) async fn call_origins(
        &self,
        viewer: &Viewer<'_>,
        request: &EdgeRequest,
        body: Body,
        stale: Option<&Cached>,
    ) -> Result<Fetched, Failure> {
        let (origin, second) = self.config.target(viewer.behavior).ok_or_else(|| no_origin(viewer))?;
        // A body that is still arriving can be sent only once.
        let second = second.filter(|_| viewer.behavior.caches(&request.method));
        let second = second.and_then(|second| Some((second, body.copy()?)));
        let fetched = self.call_one_origin(viewer, origin, request.clone(), body, stale).await?;
        match second {
            Some(((second, group), body))
                if !fetched.is_generated && group.status_codes.contains(&fetched.own_status) =>
            {
                self.call_one_origin(viewer, second, request.clone(), body, stale).await
            }
            _ => Ok(fetched),
        }
    }

    async fn call_one_origin(
        &self,
        viewer: &Viewer<'_>,
        origin: &Origin,
        request: EdgeRequest,
        mut body: Body,
        stale: Option<&Cached>,
    ) -> Result<Fetched, Failure> {
        let mut request = forward::to_origin(viewer, origin, &self.via, request);
        if let Some(stale) = stale {
            revalidate(&mut request, &stale.response);
        }
        let to = Some(origin);
        let request = match self.on_request(viewer, to, Trigger::OriginRequest, request, &mut body).await? {
            RequestOutcome::Respond(response) => {
                return Ok(Fetched {
                    own_status: response.status,
                    response: response.into(),
                    is_generated: true,
                });
            }
            RequestOutcome::Continue(request, _) => request,
        };
        match self.fetch(viewer, origin, &request, body).await {
            Ok(response) => {
                let own_status = response.status;
                let trigger = Trigger::OriginResponse;
                let response = self.on_response(viewer, to, trigger, &request, response).await?;
                Ok(Fetched { response, is_generated: false, own_status })
            }
            Err(failure @ Failure::RequestBody(_)) => Err(failure),
            // "Optimize high availability with CloudFront origin failover": no connection counts as
            // a 503, no answer in time as a 504.
            Err(failure) => {
                let own_status = match &failure {
                    Failure::Origin { source: ClientError::Connect { .. }, .. } => 503,
                    Failure::Origin { source: ClientError::Timeout(_), .. } => 504,
                    _ => 502,
                };
                let cause = failure.source().map(ToString::to_string).unwrap_or_default();
                tracing::warn!(request_id = viewer.request_id, origin = origin.id, cause, "{failure}");
                Ok(Fetched { response: failure.page().into(), is_generated: false, own_status })
            }
        }
    }

    async fn fetch(
        &self,
        viewer: &Viewer<'_>,
        origin: &Origin,
        request: &EdgeRequest,
        body: Body,
    ) -> Result<Response<Body>, Failure> {
        let mut request = request.clone();
        request.path = [origin.path.as_bytes(), &request.path].concat();
        for (name, value) in &origin.custom_headers {
            request.headers.set(name, value);
        }
        forward::upgrade(&mut request);
        let client = self.clients.get(&origin.id).ok_or_else(|| Failure::NoOrigin(origin.id.clone()))?;
        let failed = |source| match source {
            ClientError::RequestBody(error) => Failure::RequestBody(error),
            source => Failure::Origin { id: origin.id.clone(), source },
        };
        let sent = self.send(client, origin, request.into_http(body)).await;
        let mut response = sent.map_err(failed)?;
        let size: usize = response.headers.0.iter().map(|(name, value)| name.len() + value.len()).sum();
        if size > limits::HEADERS {
            return Err(failed(ClientError::Malformed(
                "the headers are larger than 20,480 bytes".to_owned(),
            )));
        }
        forward::from_origin(viewer.behavior, &mut response);
        Ok(response)
    }

    /// Applies injected faults first.
    async fn send(
        &self,
        client: &Client,
        origin: &Origin,
        request: Request<Body>,
    ) -> Result<Response<Body>, ClientError> {
        let Some(fault) = self.config.faults.at_origin() else {
            return client.fetch(origin.address, request).await;
        };
        tokio::time::sleep(fault.delay().min(origin.read_timeout)).await;
        if fault.delay() >= origin.read_timeout {
            return Err(ClientError::Timeout(origin.read_timeout));
        }
        if fault.unreachable {
            let source = io::ErrorKind::ConnectionRefused.into();
            return Err(ClientError::Connect { address: origin.address, source });
        }
        match fault.status {
            Some(status) => Ok(Response::text(status, "injected by the fault plan\n").into()),
            None => client.fetch(origin.address, request).await,
        }
    }
}

fn no_origin(viewer: &Viewer<'_>) -> Failure {
    Failure::NoOrigin(viewer.behavior.target.clone())
}

/// "Conditional requests": adds validators of the expired response. Not for `Vary: *` and errors.
fn revalidate(request: &mut EdgeRequest, stale: &Response) {
    if stale.status >= 400 {
        return;
    }
    for (ours, theirs) in [("etag", "If-None-Match"), ("last-modified", "If-Modified-Since")] {
        if let Some(value) = stale.headers.first(ours) {
            request.headers.set(theirs, value);
        }
    }
}
