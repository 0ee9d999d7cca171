from sandbox.server import Server


def test_a_started_server_answers_aws_calls(aws: Server):
    assert aws.client("sts").get_caller_identity()["Account"] == "000000000000"
