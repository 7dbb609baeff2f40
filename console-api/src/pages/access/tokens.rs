//! The page of tokens: list, issue, revoke.

use crate::{
    access::{TokenDraft, TokenInfo},
    actor::Role,
    audit::Author,
    error::ApiError,
    extract::{Admin, Id, Query},
    pages::{form::Rejected, ip_lists, new_secret::NewSecret, view},
    paging::{Page, Slice},
    store::Store,
    transport::Client,
    use_cases::tokens,
};
use askama::Template;
use axum::{
    Extension, Form,
    extract::State,
    http::HeaderMap,
    response::{Redirect, Response},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

const PATH: &str = "/tokens";

/// The roles to choose from.
const ROLES: [(&str, &str); 4] = [
    ("node", "Node: delivers hits, fetches rules"),
    ("read_only", "Read only"),
    ("analyst", "Analyst: marks attacks, edits rules"),
    ("admin", "Administrator: full access"),
];

/// The lifetimes to choose from, in days.
const ENDS: [(&str, &str); 4] =
    [("30", "in 30 days"), ("90", "in 90 days"), ("365", "in 1 year"), ("0", "Never")];

#[derive(Template)]
#[template(path = "tokens.html")]
struct TokensPage {
    page: Page<TokenInfo>,
    now: Timestamp,
    /// The name and the secret of a new token.
    made: Option<(String, String)>,
    /// The id of the current token.
    own: Option<Uuid>,
    rejected: Rejected,
}

impl TokensPage {
    fn is_own(&self, token: &TokenInfo) -> bool {
        self.own == Some(token.id)
    }

    fn has_ended(&self, token: &TokenInfo) -> bool {
        token.expires_at.is_some_and(|end| end <= self.now)
    }
}

pub(in crate::pages) async fn list(
    Admin(author): Admin,
    State(store): State<Store>,
    Extension(client): Extension<Client>,
    headers: HeaderMap,
    Query(slice): Query<Slice>,
) -> Result<Response, ApiError> {
    let Some(NewSecret { id, secret }) = NewSecret::of(&headers) else {
        return page(&store, &author, &slice, None, Rejected::default()).await;
    };
    let made = store.find::<TokenInfo>(id).await?.map(|token| (token.name, secret));
    let mut response = page(&store, &author, &slice, made, Rejected::default()).await?;
    NewSecret::forget(&mut response, PATH, client.is_https);
    Ok(response)
}

async fn page(
    store: &Store,
    author: &Author,
    slice: &Slice,
    made: Option<(String, String)>,
    rejected: Rejected,
) -> Result<Response, ApiError> {
    let page = store.list(slice).await?;
    let page = TokensPage { page, now: author.at, made, own: author.id, rejected };
    Ok(page.rejected.respond(&page))
}

#[derive(Serialize, Deserialize)]
pub(in crate::pages) struct TokenForm {
    name: String,
    role: Role,
    /// Days; 0: no end.
    r#for: u32,
}

/// Issues a token. The next page shows its secret.
pub(in crate::pages) async fn add(
    Admin(author): Admin,
    State(store): State<Store>,
    Extension(client): Extension<Client>,
    Form(form): Form<TokenForm>,
) -> Result<Response, ApiError> {
    let expires_at = ip_lists::end(author.at, form.r#for.saturating_mul(24));
    let draft = TokenDraft { name: form.name.trim().to_owned(), role: form.role, expires_at };
    match tokens::issue(&store, &author, draft).await {
        Ok(new) => Ok(NewSecret { id: new.info.id, secret: new.token }.redirect(PATH, client.is_https)),
        Err(error) => {
            let rejected = Rejected::new(&form, None, error)?;
            page(&store, &author, &Slice::default(), None, rejected).await
        }
    }
}

pub(in crate::pages) async fn delete(
    Admin(author): Admin,
    State(store): State<Store>,
    Id(id): Id,
) -> Result<Redirect, ApiError> {
    tokens::revoke(&store, &author, id).await?;
    Ok(Redirect::to("/tokens"))
}
