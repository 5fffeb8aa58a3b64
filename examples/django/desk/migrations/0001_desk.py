from django.db import migrations, models
import django.db.models.deletion


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='AuditLog',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('action', models.TextField()),
                ('ticket_id', models.BigIntegerField()),
                ('actor_id', models.BigIntegerField(null=True)),
                ('table_name', models.TextField(null=True)),
                ('new_value', models.JSONField(null=True)),
            ],
            options={
                'db_table': '"support"."audit_log"',
                'managed': False,
            },
        ),
        migrations.CreateModel(
            name='Comment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('content', models.TextField()),
                ('is_private', models.BooleanField(default=False)),
                ('created_at', models.DateTimeField(null=True)),
            ],
            options={
                'db_table': '"support"."comments"',
                'managed': False,
            },
        ),
        migrations.CreateModel(
            name='Tag',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=100)),
            ],
            options={
                'db_table': '"support"."tags"',
                'managed': False,
            },
        ),
        migrations.CreateModel(
            name='Ticket',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('ticket_number', models.CharField(max_length=50, null=True)),
                ('title', models.CharField(max_length=500)),
                ('description', models.TextField(default='')),
                ('status', models.TextField(null=True)),
                ('priority', models.TextField(default='normal', null=True)),
                ('custom', models.JSONField(default=dict)),
                ('external_id', models.TextField(null=True)),
                ('created_at', models.DateTimeField(null=True)),
                ('deleted_at', models.DateTimeField(null=True)),
                ('version', models.BigIntegerField(null=True)),
            ],
            options={
                'db_table': '"support"."tickets"',
                'managed': False,
            },
        ),
        migrations.CreateModel(
            name='User',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('email', models.TextField()),
                ('full_name', models.CharField(max_length=255)),
                ('role', models.TextField(null=True)),
            ],
            options={
                'db_table': '"support"."users"',
                'managed': False,
            },
        ),
        migrations.CreateModel(
            name='TicketTag',
            fields=[
                ('ticket', models.OneToOneField(on_delete=django.db.models.deletion.DO_NOTHING, primary_key=True, serialize=False, to='desk.ticket')),
            ],
            options={
                'db_table': '"support"."ticket_tags"',
                'managed': False,
            },
        ),
        migrations.CreateModel(
            name='Note',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('content', models.TextField()),
                ('ticket', models.ForeignKey(on_delete=django.db.models.deletion.DO_NOTHING, to='desk.ticket')),
            ],
        ),
    ]
