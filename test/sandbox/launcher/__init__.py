"""moto, corrected to answer as AWS does where ecs-access depends on it. See ../BEHAVIOUR.md."""
