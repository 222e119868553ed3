"""What a program does with python3-hvac, unmodified. Reads its input as JSON, prints what it saw as JSON."""

import json
import sys

import hvac

given = json.load(sys.stdin)
seen = {}


def refusal(call):
    try:
        call()
    except hvac.exceptions.VaultError as error:
        return type(error).__name__
    return None


admin = hvac.Client(url=given["url"], token=given["token"])
seen["sealed_at_first"] = admin.sys.is_sealed()
for key in given["keys"]:
    admin.sys.submit_unseal_key(key)
seen["sealed_then"] = admin.sys.is_sealed()
seen["is_initialized"] = admin.sys.is_initialized()
seen["is_authenticated"] = admin.is_authenticated()

folder = given["folder"]
policy = "hvac-" + folder
capabilities = ["create", "update", "read", "delete"]
admin.sys.create_or_update_policy(policy, {"path": {f"secret/data/{folder}/*": {"capabilities": capabilities}}})
seen["policy"] = policy in admin.sys.list_policies()["data"]["policies"]
seen["refused_policy"] = refusal(lambda: admin.sys.create_or_update_policy("x", 'path "secret/data/a" { capabilities = ["deny"] }'))

role = "role-" + folder
admin.auth.approle.create_or_update_approle(role, token_policies=[policy], secret_id_num_uses=1)
role_id = admin.auth.approle.read_role_id(role)["data"]["role_id"]
secret_id = admin.auth.approle.generate_secret_id(role)["data"]["secret_id"]

client = hvac.Client(url=given["url"])
client.auth.approle.login(role_id, secret_id)
seen["logged_in"] = client.is_authenticated()
seen["second_login"] = refusal(lambda: hvac.Client(url=given["url"]).auth.approle.login(role_id, secret_id))
workload = hvac.Client(url=given["url"])
workload.auth.jwt.jwt_login(role=given["trust"], jwt=given["jwt"])
seen["workload"] = workload.is_authenticated()
workload.auth.kubernetes.login(role=given["trust"], jwt=given["second_jwt"])
seen["kubernetes"] = workload.lookup_token()["data"]["meta"]["role"]

kv = client.secrets.kv.v2
path = folder + "/db"
seen["written"] = kv.create_or_update_secret(path, secret={"n": 1})["data"]["version"]
kv.create_or_update_secret(path, secret={"n": 2}, cas=1)
seen["cas"] = refusal(lambda: kv.create_or_update_secret(path, secret={"n": 3}, cas=1))
seen["read"] = kv.read_secret_version(path)["data"]["data"]
seen["first"] = kv.read_secret_version(path, version=1)["data"]["data"]
seen["patched"] = kv.patch(path, secret={"m": 1})["data"]["version"] if given["patches"] else None
kv.delete_latest_version_of_secret(path)
seen["deleted"] = refusal(lambda: kv.read_secret_version(path))
latest = admin.secrets.kv.v2.read_secret_metadata(path)["data"]["current_version"]
kv.undelete_secret_versions(path, versions=[latest])
seen["undeleted"] = kv.read_secret_version(path)["data"]["metadata"]["version"] == latest
admin.secrets.kv.v2.destroy_secret_versions(path, versions=[1])
seen["destroyed"] = refusal(lambda: kv.read_secret_version(path, version=1))
seen["listed"] = admin.secrets.kv.v2.list_secrets(folder)["data"]["keys"]
seen["forbidden"] = refusal(lambda: kv.read_secret_version("elsewhere/a"))

seen["renewed"] = client.renew_token(increment=600)["auth"]["lease_duration"]
child = admin.create_token(policies=[policy], lease="10m")["auth"]["client_token"]
seen["child"] = hvac.Client(url=given["url"], token=child).is_authenticated()
client.revoke_self_token()
seen["revoked"] = hvac.Client(url=given["url"], token=client.token or "none").is_authenticated()
seen["term"] = admin.key_status["term"] if isinstance(admin.key_status, dict) else None
admin.sys.seal()
seen["sealed_at_last"] = admin.sys.is_sealed()
json.dump(seen, sys.stdout)
