"""The scheduler that moto's ECS lacks: tasks that start and stop, deployments that take time, succeed, fail and are rolled back.

`pace` says when, `orders` what a test ordered, `tasks` what a task is, `rollouts` what a deployment is, `scheduler` what happens
next, `messages` what ECS says about it. The answers (`../corrections/ecs_*.py`) read the same objects, so that they agree.
"""
