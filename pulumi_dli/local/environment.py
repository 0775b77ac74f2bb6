"""The account as environment variables."""

from __future__ import annotations

from pulumi_dli.local.credentials import Credentials


def environment_of(account: Credentials) -> dict[str, str]:
    """Return the variables that sign in the provider, the vendor's SDK and the Terraform provider."""
    region = account.region.upper().replace("-", "_")
    return {
        "DLI_ENDPOINT": account.endpoint,
        f"HUAWEICLOUD_SDK_REGION_DLI_{region}": account.endpoint,
        "OS_AUTH_URL": account.auth_url,
        "HW_AUTH_URL": account.auth_url,
        "HUAWEICLOUD_SDK_IAM_ENDPOINT": account.endpoint,
        "OS_REGION_NAME": account.region,
        "HW_REGION_NAME": account.region,
        "OS_PROJECT_ID": account.project_id,
        "HW_PROJECT_ID": account.project_id,
        "HUAWEICLOUD_SDK_PROJECT_ID": account.project_id,
        "HW_PROJECT_NAME": account.project_name,
        "OS_USER_DOMAIN_NAME": account.domain_name,
        "HW_DOMAIN_NAME": account.domain_name,
        "OS_ACCESS_KEY": account.access_key,
        "HW_ACCESS_KEY": account.access_key,
        "HUAWEICLOUD_SDK_AK": account.access_key,
        "OS_SECRET_KEY": account.secret_key,
        "HW_SECRET_KEY": account.secret_key,
        "HUAWEICLOUD_SDK_SK": account.secret_key,
    }
