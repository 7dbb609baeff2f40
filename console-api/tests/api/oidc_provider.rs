//! A small OpenID provider for tests, with real signatures.

use axum::{
    Form, Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    routing::{get, post},
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use hmac::{Hmac, KeyInit as _, Mac as _};
use openidconnect::{
    JsonWebKeyId, PrivateSigningKey as _,
    core::{CoreEdDsaPrivateSigningKey, CoreJwsSigningAlgorithm},
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
};
use tokio::net::TcpListener;

pub(crate) const CLIENT: &str = "waf-console";
pub(crate) const SECRET: &str = "the-secret-of-the-client";
const ACCESS_TOKEN: &str = "the-access-token";

/// How an ID token is signed.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Signature {
    Published,
    /// By another key, with the id of the published one.
    Forged,
    /// An HMAC with the client secret.
    Symmetric,
    None,
}

/// What the provider does; tests change it.
pub(crate) struct Behaviour {
    /// Claims besides, or instead of, the usual ones of the ID token.
    pub(crate) claims: Value,
    /// The response of the userinfo endpoint.
    pub(crate) user_info: Value,
    pub(crate) signature: Signature,
    /// The number of the published key.
    pub(crate) key: u8,
    pub(crate) is_down: bool,
    pub(crate) calls: u32,
}

struct Code {
    nonce: String,
    challenge: String,
    redirect_uri: String,
}

#[derive(Clone)]
pub(crate) struct Provider {
    pub(crate) issuer: String,
    behaviour: Arc<Mutex<Behaviour>>,
    codes: Arc<Mutex<BTreeMap<String, Code>>>,
}

impl Provider {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let behaviour = Behaviour {
            claims: json!({"preferred_username": "ann", "groups": ["soc"]}),
            user_info: Value::Null,
            signature: Signature::Published,
            key: 1,
            is_down: false,
            calls: 0,
        };
        let provider = Self {
            issuer: format!("http://{}/realms/main", listener.local_addr().unwrap()),
            behaviour: Arc::new(Mutex::new(behaviour)),
            codes: Arc::default(),
        };
        let router = Router::new()
            .route("/realms/main/.well-known/openid-configuration", get(metadata))
            .route("/keys", get(keys))
            .route("/token", post(token))
            .route("/userinfo", get(user_info))
            .with_state(provider.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        provider
    }

    pub(crate) fn behaviour(&self) -> MutexGuard<'_, Behaviour> {
        self.behaviour.lock().unwrap()
    }

    /// Signs the user in: the query of the redirect back, for the address that the console sent the
    /// browser to.
    pub(crate) fn authorize(&self, location: &str) -> BTreeMap<String, String> {
        let (endpoint, query) = location.split_once('?').unwrap();
        assert_eq!(endpoint, format!("{}/authorize", self.issuer));
        let query: BTreeMap<String, String> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        assert_eq!((query["response_type"].as_str(), query["client_id"].as_str()), ("code", CLIENT));
        assert_eq!(query["code_challenge_method"], "S256");
        let code = format!("code-{}", query["state"]);
        let challenge = query["code_challenge"].clone();
        let issued =
            Code { nonce: query["nonce"].clone(), challenge, redirect_uri: query["redirect_uri"].clone() };
        self.codes.lock().unwrap().insert(code.clone(), issued);
        BTreeMap::from([
            ("code".to_owned(), code),
            ("state".to_owned(), query["state"].clone()),
            ("iss".to_owned(), self.issuer.clone()),
        ])
    }

    fn id_token(&self, nonce: &str) -> String {
        let behaviour = self.behaviour();
        // The time of the console in tests, 2026-01-01T12:00:00Z.
        let now = 1_767_268_800;
        let mut claims = json!({
            "iss": self.issuer, "aud": CLIENT, "sub": "user-1", "nonce": nonce, "iat": now, "exp": now + 300,
        });
        for (name, value) in behaviour.claims.as_object().unwrap() {
            claims[name] = value.clone();
        }
        let algorithm = match behaviour.signature {
            Signature::Published | Signature::Forged => "EdDSA",
            Signature::Symmetric => "HS256",
            Signature::None => "none",
        };
        let header = json!({"alg": algorithm, "kid": kid(behaviour.key)});
        let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let text = format!("{}.{}", encode(&header), encode(&claims));
        let signed = |number| key(number).sign(&CoreJwsSigningAlgorithm::EdDsa, text.as_bytes()).unwrap();
        let signature = match behaviour.signature {
            Signature::Published => signed(behaviour.key),
            Signature::Forged => signed(behaviour.key + 100),
            Signature::Symmetric => {
                let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
                mac.update(text.as_bytes());
                mac.finalize().into_bytes().to_vec()
            }
            Signature::None => Vec::new(),
        };
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

fn kid(number: u8) -> String {
    format!("key-{number}")
}

/// An Ed25519 key (PKCS #8).
fn key(number: u8) -> CoreEdDsaPrivateSigningKey {
    let mut der = vec![0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
    der.extend([number; 32]);
    let label = "PRIVATE KEY";
    let pem = format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der));
    CoreEdDsaPrivateSigningKey::from_ed25519_pem(&pem, Some(JsonWebKeyId::new(kid(number)))).unwrap()
}

async fn metadata(State(provider): State<Provider>) -> (StatusCode, Json<Value>) {
    let mut behaviour = provider.behaviour();
    behaviour.calls += 1;
    if behaviour.is_down {
        return (StatusCode::SERVICE_UNAVAILABLE, Json(Value::Null));
    }
    let issuer = &provider.issuer;
    let base = issuer.trim_end_matches("/realms/main");
    let metadata = json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{base}/token"),
        "userinfo_endpoint": format!("{base}/userinfo"),
        "jwks_uri": format!("{base}/keys"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["EdDSA", "HS256", "none"],
    });
    (StatusCode::OK, Json(metadata))
}

async fn keys(State(provider): State<Provider>) -> Json<Value> {
    Json(json!({"keys": [key(provider.behaviour().key).as_verification_key()]}))
}

async fn token(
    State(provider): State<Provider>,
    headers: HeaderMap,
    Form(form): Form<BTreeMap<String, String>>,
) -> (StatusCode, Json<Value>) {
    let credentials = format!("Basic {}", STANDARD.encode(format!("{CLIENT}:{SECRET}")));
    assert_eq!(headers[header::AUTHORIZATION], credentials);
    assert_eq!(form["grant_type"], "authorization_code");
    let Some(code) = provider.codes.lock().unwrap().remove(&form["code"]) else {
        return (StatusCode::BAD_REQUEST, Json(json!({"error": "invalid_grant"})));
    };
    assert_eq!(form["redirect_uri"], code.redirect_uri);
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(form["code_verifier"].as_bytes()));
    assert_eq!(challenge, code.challenge, "PKCE");
    let id_token = provider.id_token(&code.nonce);
    let tokens = json!({"access_token": ACCESS_TOKEN, "token_type": "Bearer", "id_token": id_token});
    (StatusCode::OK, Json(tokens))
}

async fn user_info(State(provider): State<Provider>, headers: HeaderMap) -> Json<Value> {
    assert_eq!(headers[header::AUTHORIZATION], format!("Bearer {ACCESS_TOKEN}"));
    Json(provider.behaviour().user_info.clone())
}
