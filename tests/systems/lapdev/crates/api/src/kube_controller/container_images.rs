//! Images that the API hands to clusters. pkg/kube-container publishes exactly these.

pub const CONTAINER_IMAGE_TAG: &str = "0.2.0";
pub const API_IMAGE_REPO: &str = "ghcr.io/lapce/lapdev-api";
pub const KUBE_MANAGER_IMAGE_REPO: &str = "ghcr.io/lapce/lapdev-kube-manager";
pub const SIDECAR_PROXY_IMAGE_REPO: &str = "ghcr.io/lapce/lapdev-kube-sidecar-proxy";
