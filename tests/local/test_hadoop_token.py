from pulumi_dli.local.engines.hadoop_token import Token


def test_the_file_has_the_token_under_the_name_of_its_service() -> None:
    token = Token(b"user", b"p" * 200, "metastore")
    assert (
        token.file_content()
        == (
            b"HDTS\0"
            b"\x01"  # one token
            b"\x09metastore"
            b"\x04user"
            + (b"\x8f\xc8" + b"p" * 200)  # Hadoop writes the size 200 in two bytes
            + b"\x15HIVE_DELEGATION_TOKEN"
            b"\x09metastore"
            b"\x00"  # no keys
        )
    )


def test_a_client_signs_in_with_the_token_in_base64() -> None:
    token = Token(b"pulumi-dli-jobs", b"secret", "metastore")
    assert (token.user_name, token.user_password) == ("cHVsdW1pLWRsaS1qb2Jz", "c2VjcmV0")


def test_the_password_is_not_shown() -> None:
    assert "secret" not in repr(Token(b"user", b"secret", "metastore"))
