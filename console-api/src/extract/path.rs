//! Path parameters: ids, numbers, and the entities that ids name.

use crate::{
    access::User,
    attack::Attack,
    clock::Clock,
    error::ApiError,
    hit::HitDetail,
    replay::Replay,
    ruleset::{StoredEntry, StoredRule},
    store::{Due, Store, StoreError},
};
use axum::{
    extract::{FromRef, FromRequestParts, Path},
    http::request::Parts,
};
use uuid::Uuid;

/// The id in the path. A malformed id is an unknown one: 404.
pub struct Id(pub Uuid);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let id = Path::<Uuid>::from_request_parts(parts, state).await;
        id.map(|Path(id)| Self(id)).map_err(|_| ApiError::NotFound("object with a malformed id".to_owned()))
    }
}

/// The number in the path. A malformed number is an unknown one: 404.
pub struct Number(pub u64);

impl<S: Send + Sync> FromRequestParts<S> for Number {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let number = Path::<u64>::from_request_parts(parts, state).await;
        number
            .map(|Path(number)| Self(number))
            .map_err(|_| ApiError::NotFound("object with a malformed number".to_owned()))
    }
}

/// The entity that the id in the path names; 404 when it does not exist.
pub struct Named<T>(pub T);

/// An entity that can be loaded by its id.
pub trait Entity: Sized {
    /// The name in errors.
    const NAME: &'static str;

    fn load(
        store: &Store,
        clock: Clock,
        id: Uuid,
    ) -> impl Future<Output = Result<Option<Self>, StoreError>> + Send;
}

impl<S: Send + Sync, T: Entity> FromRequestParts<S> for Named<T>
where
    Store: FromRef<S>,
    Clock: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Id(id) = Id::from_request_parts(parts, state).await?;
        let entity = T::load(&Store::from_ref(state), Clock::from_ref(state), id).await?;
        entity.map(Self).ok_or_else(|| ApiError::not_found(T::NAME, id))
    }
}

macro_rules! entities {
    ($($entity:ty, $name:literal, $load:ident;)+) => {$(
        impl Entity for $entity {
            const NAME: &'static str = $name;

            async fn load(store: &Store, _: Clock, id: Uuid) -> Result<Option<Self>, StoreError> {
                store.$load(id).await
            }
        }
    )+};
}

entities! {
    Attack, "attack", attack;
    HitDetail, "hit", hit;
    StoredRule, "rule", find;
    StoredEntry, "entry", find;
    User, "user", find;
    Due, "webhook", webhook;
}

impl Entity for Replay {
    const NAME: &'static str = "replay";

    async fn load(store: &Store, clock: Clock, id: Uuid) -> Result<Option<Self>, StoreError> {
        store.replay(id, clock.now()).await
    }
}
